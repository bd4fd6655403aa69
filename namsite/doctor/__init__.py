"""What state an installation is in, and what to do next: `manage.py doctor` (docs/doctor.md).

A probe looks at one thing and says it in one sentence. A module holds the probes of a section; `probes` runs them and
`page` shows what they said. They look and change nothing, but that `file-store` seals an invented file and destroys it.
Nothing that they say is health information or a secret.
"""
