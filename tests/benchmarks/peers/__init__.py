"""Other tools on the same pages. Each module is a program for the peers' own environment (`make bench` makes it).

A program reads {"pages": [{"document", "number", "text"}, ...]} from standard input and prints a list with one entry
for each way to use the tool: {"name", "values": [[document, page, value], ...], "seconds", "tokens", "failed"}.
`seconds` is finding alone, without start-up; `tokens` is null where no model is asked; `failed` counts lost answers.
Nothing of this project can be imported there.
"""
