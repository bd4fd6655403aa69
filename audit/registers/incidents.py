"""What is left to do about a confidentiality incident. Pure.

The steps are those of P-39.1 ss. 3.5 to 3.8 and R-22.1 s. 108. Notices are due "avec diligence": the law sets no
number of hours, so what is shown is how long the clinic has known.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

SERIOUS, NOT_SERIOUS, OPEN = "serious", "not_serious", "undecided"
"""What was decided on the risk of serious injury."""

FACTORS = ("sensitivity", "misuse", "consequences", "likelihood")
"""What the conclusion on the risk is drawn from (P-39.1 s. 3.7; A-2.1 r. 3.1 s. 7): how sensitive the information is,
the ill-intentioned uses that are possible, the consequences that are anticipated, how likely an injurious use is."""


class Step(StrEnum):
    """What is still to do, in the order in which it is done."""

    MEASURES = "measures"
    FACTORS = "factors"
    DECISION = "decision"
    NOTICE_CAI = "notice_cai"
    NOTICE_MINISTER = "notice_minister"
    NOTICE_PERSONS = "notice_persons"


def steps_left(content: Mapping[str, Any]) -> list[Step]:
    """The steps that an incident still lacks. Notices are due only where the risk is serious; a public notice stands
    in for that to the persons."""
    risk = content.get("risk", OPEN)
    left = [] if content.get("measures") else [Step.MEASURES]
    if not all(content.get(f"risk_{factor}") for factor in FACTORS):
        left.append(Step.FACTORS)
    if risk == OPEN:
        left.append(Step.DECISION)
    if risk == SERIOUS:
        due = {
            Step.NOTICE_CAI: content.get("cai_notified_on"),
            Step.NOTICE_MINISTER: content.get("minister_notified_on") or not content.get("is_lrsss", True),
            Step.NOTICE_PERSONS: content.get("persons_notified_on") or content.get("public_notice"),
        }
        left += [step for step, is_done in due.items() if not is_done]
    return left
