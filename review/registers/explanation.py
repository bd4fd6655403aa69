"""Why a number was proposed, and who decided: what a person may ask about automated processing.

P-39.1 s. 12.1 and A-2.1 s. 65.2 ask for the information that was used, the reasons, and the principal factors and
parameters. Here they are the parts that proposed with their versions, the checks, and the pieces of evidence that the
confidence was weighed from with their weights (`extraction.finders.confidence`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from extraction import nam
from extraction.finders import confidence
from extraction.finders.confidence import Witnesses
from extraction.llm import prompts
from extraction.models import Finding, RunPage
from review.models import Decision, SignOff

EVIDENCE: dict[str, str | Promise] = {
    "format": _("it has the shape of a NAM"),
    "birth_date": _("the birth date in it exists"),
    "check_character": _("its check character matches"),
    "no_other_name": _("no other person's name is printed where its own should be"),
    "name": _("the name printed nearby fits its letters"),
    "birth_date_nearby": _("the birth date printed nearby is the one in it"),
    "labelled": _("the page calls it a NAM"),
    "regular": _("it is grouped as people print it"),
    "reading": _("how surely its characters were read"),
    "reading_sharp": _("how far that reading is above 0.9"),
    "as_printed": _("no character was replaced by one that looks like it"),
    "as_printed_or_seen_again": _("it stands there as printed, or was seen so when looking again"),
    "second_look_not_against": _("no second look speaks against it"),
    "second_look_for": _("a second look speaks for it"),
    "second_finder": _("two finders found it independently"),
    "model_not_against": _("no answer of a language model speaks against it"),
    "model_for": _("the language model speaks for it"),
}
CHECKS: dict[str, str | Promise] = {
    "format": _("shape: four letters, six digits, a character, a digit"),
    "birth_date": _("birth date"),
    "check_character": _("check character"),
    "name": _("name printed nearby"),
}


class Factor(NamedTuple):
    """One piece of evidence: how much of it there was (0..1), its weight, and what both add on the log-odds scale."""

    words: str | Promise
    value: float
    weight: float

    @property
    def adds(self) -> float:
        return self.value * self.weight


@dataclass(frozen=True, slots=True)
class Explanation:
    """`masked` shows the number by its ends. `factors` are empty where an older version kept no witnesses.

    `weighed` is the confidence that the present weights give; it differs from the finding's where they were fitted
    anew since. `prompt_sha256` is empty where no model was asked, or the prompt's file is gone.
    """

    finding: Finding
    masked: str
    page: RunPage | None
    checks: list[tuple[str | Promise, bool | None]]
    factors: list[Factor]
    base: float
    weights_version: str
    weighed: float | None
    prompt_sha256: str
    decisions: list[Decision]
    sign_off: SignOff | None
    is_hidden: bool

    @property
    def is_current(self) -> bool:
        """Whether the weights that are shown are those that gave the confidence."""
        return self.weighed is not None and round(self.weighed, 4) == round(self.finding.confidence, 4)


def explain(finding: Finding, hidden: Collection[int] = ()) -> Explanation:
    """Of `hidden` pages the decisions stay unsaid: they are not for whoever asks."""
    run, is_hidden = finding.run, finding.page in hidden
    weights = confidence.present_weights()
    witnesses = Witnesses.from_json(finding.witnesses)
    decisions = finding.decisions.select_related("by", "undone_by").order_by("made_at")
    signed = SignOff.objects.filter(document=run.document_id, page=finding.page, reopened_at=None).select_related("by")
    return Explanation(
        finding=finding,
        masked=nam.mask(str(finding.value)),
        page=run.pages.filter(number=finding.page).select_related("deployment").first(),
        checks=[(words, finding.checks.get(code)) for code, words in CHECKS.items()],
        factors=_factors(witnesses),
        base=weights.base,
        weights_version=weights.version,
        weighed=float(confidence.weigh(witnesses)) if witnesses else None,
        prompt_sha256=_prompt_sha256(run.prompt_version) if run.uses_model else "",
        decisions=[] if is_hidden else list(decisions),
        sign_off=None if is_hidden else signed.first(),
        is_hidden=is_hidden,
    )


def _factors(witnesses: Witnesses | None) -> list[Factor]:
    """What spoke for the proposal, the heaviest first."""
    if witnesses is None:
        return []
    weights = confidence.present_weights().evidence
    pieces = zip(weights.items(), confidence.evidence(witnesses), strict=True)
    found = [Factor(EVIDENCE[name], piece, weight) for (name, weight), piece in pieces]
    return sorted(found, key=lambda factor: -factor.adds)


def _prompt_sha256(version: str) -> str:
    try:
        return prompts.load(version).sha256
    except ValueError:
        return ""
