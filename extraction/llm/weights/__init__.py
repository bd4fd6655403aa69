"""The files of a model: where they come from, and whether they are what they should be."""
