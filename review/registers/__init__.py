"""The pages of the statutory registers, and what the law lets a person ask of a clinic (docs/decisions/0033, 0034)."""
