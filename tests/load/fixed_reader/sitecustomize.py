"""A reader of a fixed service time, for the processes that have this folder on their PYTHONPATH.

Every page takes FIXED_READER_SECONDS and no processor, so that many workers fit on two cores. The file FIXED_READER_LOG
gets a line for each page when its reading begins: what was read twice stands there twice.
"""

import os
import time
from pathlib import Path

from extraction.page import Page
from extraction.readers import choosing

SECONDS = float(os.environ["FIXED_READER_SECONDS"])


def read_parts(opened, parts, *, reader="auto", ocr="local"):
    for part in parts:
        yield from part.ready
        for number in part.numbers:
            with Path(os.environ["FIXED_READER_LOG"]).open("a") as log:
                log.write(f"{opened().page_count} {number}\n")
            time.sleep(SECONDS)
            yield choosing.PageRead(number, Page(number, 612, 792, (), "text_layer"), None, SECONDS)


choosing.read_parts = read_parts  # Before the pipeline takes it from there.
