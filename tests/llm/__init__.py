"""The real model server, with the adapter that comes with the application: `make test-llm`. No stand-in, no network."""
