"""Synthetic clinic documents with known truth, for the demo, evaluation, training and tests.

Names, births, clinics and streets are drawn from lists with one integer seed, and every NAM is composed from them; no
record of anybody stands behind any of it. A well-formed number can by chance equal a real one, as any can that passes
the check; telephone numbers are of the range kept for fiction. The same seed gives the same document, byte for byte.

`people` invents, `wording` and `hand` write the way clinics and people do, `layouts` draws one page each, `degrade`
does to a page what scanners, photocopiers, fax machines and telephones do, and `documents` puts them together. `split`
says which documents are held out, `groups` which are measured together, and `golden` names those that must always pass.
To add a layout, write one module in `layouts` and name it in `DEVELOPMENT`; to add a degradation, write one function in
`degrade` and name it in `DEGRADATIONS`. Every layout is then available with every degradation, under its own name in
`documents.KINDS`. docs/corpus.md has the whole list.
"""
