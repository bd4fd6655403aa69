"""`make chaos`: a driver works with a whole installation while a seeded schedule of faults kills and cuts.

A checker of its own says afterwards what was lost. docs/chaos.md has the faults and the figures.
"""
