"""How sure a proposal is, 0..1: a logistic model over everything that speaks for it. Pure.

What is known of a proposal are its witnesses: the checks, how sharply it was read, what stands around it, what a second
look saw, what the model said. Each becomes one or two pieces of evidence, 0..1, with a weight on the log-odds scale.
The weights are fitted to documents with known truth (`extraction.calibration`, `manage.py fit_confidence`) and stand
beside this module in `confidence.json`, a reviewed file that is part of the code.

No weight but the base is negative, and every piece of evidence rises with what it is made of, so more evidence never
lowers a confidence, whatever the truth a fit was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp
from operator import mul
from typing import Any, NamedTuple, Self

from extraction.finders.proposal import Checks

MOST = 0.9999
"""Nothing is certain, and weights from some ten thousand NAMs can tell nothing finer."""
BASE = "base"
WITNESSES_VERSION = 1
"""Rises when a witness comes to mean something else under the same name; a new name speaks for itself."""
_SHARP = 0.9
"""From here on readers are mostly right, and every hundredth says more than a tenth does below."""

PROPOSED_FROM = 0.35
"""From here on what was found is proposed; below it is a hint (decision 0021)."""


class Witnesses(NamedTuple):
    """What is known of a proposal. Nothing here says which number it is.

    `reading` is the reader's own confidence in the least certain word, 0..1. `labelled` says that the page calls the
    number a NAM, `birth_date_nearby` that a birth date printed near it is the one in the number. `substitutions` counts
    the printed characters that had to be read as their look-alikes. `regular` says that the characters are grouped as
    people print them. `second_look` and `model_probability` are the probabilities, 0..1, that a second look at the
    print and the model give to the value; None where nobody looked or asked.
    """

    checks: Checks
    reading: float
    found_by: tuple[str, ...]
    labelled: bool = False
    birth_date_nearby: bool = False
    substitutions: int = 0
    regular: bool = True
    second_look: float | None = None
    model_probability: float | None = None

    def joined(self, other: Witnesses) -> Witnesses:
        """What two finders know of the same value at the same place: the better of each, and what only one knows."""
        return Witnesses(
            self.checks._replace(name=_better(self.checks.name, other.checks.name)),
            reading=max(self.reading, other.reading),
            found_by=tuple(dict.fromkeys((*self.found_by, *other.found_by))),
            labelled=self.labelled or other.labelled,
            birth_date_nearby=self.birth_date_nearby or other.birth_date_nearby,
            substitutions=min(self.substitutions, other.substitutions),
            regular=self.regular or other.regular,
            second_look=_higher(self.second_look, other.second_look),
            model_probability=_higher(self.model_probability, other.model_probability),
        )

    def to_json(self) -> dict[str, Any]:
        """Booleans, counts, probabilities and names of finders, to be kept with a finding."""
        return {
            **self._asdict(),
            "version": WITNESSES_VERSION,
            "checks": self.checks._asdict(),
            "reading": float(self.reading),
            "found_by": list(self.found_by),
            "second_look": _plain(self.second_look),
            "model_probability": _plain(self.model_probability),
        }

    @classmethod
    def from_json(cls, body: object) -> Self | None:
        """None for what another version wrote: a witness that it did not know, or knew otherwise, is not guessed."""
        if not isinstance(body, dict) or body.get("version") != WITNESSES_VERSION:
            return None
        known = {name: value for name, value in body.items() if name != "version"}
        try:
            witnesses = cls(**known | {"checks": Checks(**known["checks"]), "found_by": tuple(known["found_by"])})
        except (KeyError, TypeError):
            return None
        return witnesses if set(known) == set(cls._fields) and _is_sound(witnesses) else None


class Confidence(float):
    """A confidence that remembers what it was weighed from, so that it can be weighed anew and learned from."""

    witnesses: Witnesses

    def __new__(cls, value: float, witnesses: Witnesses) -> Self:
        confidence = super().__new__(cls, value)
        confidence.witnesses = witnesses
        return confidence

    def __getnewargs__(self) -> tuple[float, Witnesses]:  # type: ignore[override]
        return float(self), self.witnesses


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight of each piece of evidence, by name, and where they come from.

    `provenance` is what the fit says of itself: the documents, the counts, the loss on those it did not see.
    """

    version: str
    base: float
    evidence: Mapping[str, float]
    provenance: Mapping[str, Any]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Weights:
        """Raises ValueError if a weight is missing, unknown or negative."""
        weights = dict(body["weights"])
        base = weights.pop(BASE, None)
        if base is None or set(weights) != set(EVIDENCE) or min(weights.values()) < 0:
            raise ValueError("not the weights of this model")
        return cls(body["version"], base, {name: weights[name] for name in EVIDENCE}, body["fitted"])

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "fitted": dict(self.provenance),
            "weights": {BASE: self.base, **self.evidence},
        }


@cache
def present_weights() -> Weights:
    """The weights that confidences are computed with."""
    return Weights.from_json(json.loads((resources.files(__package__) / "confidence.json").read_text(encoding="utf-8")))


def score(
    checks: Checks,
    *,
    reading: float,
    found_by: tuple[str, ...],
    labelled: bool = False,
    birth_date_nearby: bool = False,
    substitutions: int = 0,
    regular: bool = True,
    second_look: float | None = None,
    model_probability: float | None = None,
) -> Confidence:
    """The confidence of a proposal of which this is known; see `Witnesses`."""
    return weigh(
        Witnesses(
            checks,
            reading,
            found_by,
            labelled,
            birth_date_nearby,
            substitutions,
            regular,
            second_look,
            model_probability,
        )
    )


def weigh(witnesses: Witnesses, weights: Weights | None = None) -> Confidence:
    """The confidence that the weights (the present ones by default) give to these witnesses.

    A value that is not the printed one is no likelier than a second look says: that has weighed it against the printed
    one, which the rest of the page supports nearly as well.
    """
    weights = weights or present_weights()
    total = weights.base + sum(map(mul, weights.evidence.values(), evidence(witnesses)))
    most = MOST
    if witnesses.substitutions and witnesses.second_look is not None:
        most = min(MOST, max(0.0, witnesses.second_look))
    return Confidence(round(min(most, 1 / (1 + exp(-total))), 4), witnesses)


def together(one: float, other: float) -> float:
    """The confidence in a value that two finders propose: at least that of the surer one.

    What both know is weighed together. Where that is not remembered, the other finder counts as nearly independent.
    """
    if isinstance(one, Confidence) and isinstance(other, Confidence):
        both = weigh(one.witnesses.joined(other.witnesses))
        return Confidence(max(one, other, both), both.witnesses)
    return round(max(one, other, 1 - (1 - one) * (1 - 0.7 * other)), 4)


def doubted(confidence: float) -> float:
    """The same, but no more than a hint's: what one finder alone sees against a check is for a person to add."""
    most = min(confidence, PROPOSED_FROM / 2)
    return Confidence(most, confidence.witnesses) if isinstance(confidence, Confidence) else most


def is_as_printed(confidence: float) -> bool:
    """Whether this is a value as it was read, no character taken for its look-alike; true where nobody remembers."""
    return not (isinstance(confidence, Confidence) and confidence.witnesses.substitutions)


EVIDENCE = (
    "format",
    "birth_date",
    "check_character",
    "no_other_name",
    "name",
    "birth_date_nearby",
    "labelled",
    "regular",
    "reading",
    "reading_sharp",
    "as_printed",
    "as_printed_or_seen_again",
    "second_look_not_against",
    "second_look_for",
    "second_finder",
    "model_not_against",
    "model_for",
)
"""The names of the pieces of evidence, in the order of `evidence`."""


def evidence(witnesses: Witnesses) -> tuple[float, ...]:
    """Each piece of evidence, 0..1: none falls when a witness says more.

    Products of witnesses did not pay, except one: a value that is not the printed one needs a second look that is sure
    of it. Who says nothing stands between who speaks against and who speaks for.
    """
    checks = witnesses.checks
    reading = min(1.0, max(0.0, witnesses.reading))
    as_printed = witnesses.substitutions == 0
    seen_again = 0.0 if witnesses.second_look is None else _between(witnesses.second_look, _SHARP, 1.0)
    return (
        float(checks.format),
        float(checks.birth_date),
        float(checks.check_character),
        float(checks.name is not False),
        float(checks.name is True),
        float(witnesses.birth_date_nearby),
        float(witnesses.labelled),
        float(witnesses.regular),
        _between(reading, 0.0, _SHARP),
        _between(reading, _SHARP, 1.0),
        float(as_printed),
        1.0 if as_printed else seen_again,
        *_against_and_for(witnesses.second_look),
        float(len(set(witnesses.found_by)) > 1),
        *_against_and_for(witnesses.model_probability),
    )


def _between(value: float, low: float, high: float) -> float:
    """How far a value has come from `low` to `high`, 0..1."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _against_and_for(probability: float | None) -> tuple[float, float]:
    """How little a voice is against, and how much it is for."""
    if probability is None:
        return 1.0, 0.0
    return _between(probability, 0.0, 0.5), _between(probability, 0.5, 1.0)


def _better(one: bool | None, other: bool | None) -> bool | None:
    """True before None before False: that no name is near says more than that another one is."""
    return max(one, other, key=(False, None, True).index)


def _higher(one: float | None, other: float | None) -> float | None:
    known = [probability for probability in (one, other) if probability is not None]
    return max(known, default=None)


def _plain(probability: float | None) -> float | None:
    """The same as a number that JSON can hold, for readers count in NumPy's."""
    return None if probability is None else float(probability)


def _is_sound(witnesses: Witnesses) -> bool:
    """Whether everything is of the kind that `evidence` counts with."""
    checks = witnesses.checks
    flags = (*checks[:3], witnesses.labelled, witnesses.birth_date_nearby, witnesses.regular)
    voices = [voice for voice in (witnesses.second_look, witnesses.model_probability) if voice is not None]
    return (
        all(isinstance(flag, bool) for flag in flags)
        and (checks.name is None or isinstance(checks.name, bool))
        and isinstance(witnesses.substitutions, int)
        and all(isinstance(voice, int | float) and 0 <= voice <= 1 for voice in (witnesses.reading, *voices))
    )
