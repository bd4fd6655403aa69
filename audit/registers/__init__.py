"""The statutory registers: books of numbered entries in which nothing is overwritten (docs/decisions/0033)."""
