"""What happens to a page between the printer and us: machines, wear, and bad text layers.

A degradation takes the page as it was printed, in grey at `RESOLUTION`, and gives a picture together with where every
point of the page went, so that the truth can follow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from extraction.corpus.degrade.machines import fax, photo, photocopy, scan
from extraction.corpus.degrade.picture import RESOLUTION, Degradation, Matrix, Picture, Pixels, Scene, Word
from extraction.corpus.degrade.text_layer import badtext
from extraction.corpus.degrade.wear import copies, faint, stamp, turned

__all__ = ["DEGRADATIONS", "RESOLUTION", "Degradation", "Matrix", "Picture", "Pixels", "Scene", "Word"]

_SINGLE: Mapping[str, Degradation] = {
    "scan": scan,
    "photocopy": photocopy,
    "fax": fax,
    "photo": photo,
    "turned": turned,
    "faint": faint,
    "stamp": stamp,
    "copies": copies,
    "badtext": badtext,
}


def mixed(page: Pixels, rng: np.random.Generator, scene: Scene) -> Picture:
    """Any of the others, drawn anew for every page: a file that was put together from several sources."""
    return list(_SINGLE.values())[int(rng.integers(0, len(_SINGLE)))](page, rng, scene)


DEGRADATIONS: Mapping[str, Degradation] = {**_SINGLE, "mixed": mixed}
