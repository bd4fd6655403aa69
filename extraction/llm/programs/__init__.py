"""Programs that run in the model's own environment and not in this one: they import torch, and nothing of this project.

Each is one file, started by `extraction.llm.running`. Nothing here may be imported by another module.
"""
