"""`make chaos`: a driver works with a whole installation while a seeded schedule of faults kills and cuts, and a checker
that shares no code with the application's queries says what was lost. docs/chaos.md has the faults and the figures."""
