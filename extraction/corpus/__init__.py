"""Synthetic clinic documents with known truth, for the demo, evaluation, training and tests.

Names, births, clinics and streets are drawn from lists with one integer seed, and every NAM is composed from them; no
record of anybody stands behind any of it. A well-formed number can by chance equal a real one, as any can that passes
the check; telephone numbers are of the range kept for fiction. The same seed gives the same document, byte for byte.

`people` invents, `wording` writes dates and times the way clinics do, `layouts` draws one page each, `degrade` does to
a page what scanners, photocopiers, fax machines and telephones do, and `documents` puts them together. To add a layout,
write one module in `layouts` and name it in `LAYOUTS`; to add a degradation, write one function in `degrade` and name
it in `DEGRADATIONS`. Every layout is then available with every degradation, under its own name in `documents.KINDS`.
"""
