"""What an installation bears: real processes under load. `make bench-load` runs the parts and prints a table.

A part is a module with a `results()` generator of `tests.benchmarks.Result`; each may be started by itself.
"""
