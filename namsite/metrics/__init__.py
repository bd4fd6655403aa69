"""What the installation does, for Prometheus: counts and seconds, never whose.

`requests` counts what the web processes answer, in memory that they share. Everything else is read from the tables and
from the queue at each scrape (`installation`), because workers fork a process for each run, and what it had counted
would be gone before anybody asked. `docs/monitoring.md` lists every metric; a test compares the list.
"""
