"""What is watched on this floor: how well the machine does, as signed-off pages tell it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Sum

from accounts.models import Clinic
from extraction.alerts import LEAST_RATIO, Reading, watch
from extraction.availability import IN_A_ROW, three_in_a_row
from extraction.models import AlertKind, Run
from review.models import PageScore


@watch(AlertKind.PRECISION, AlertKind.RECALL)
def accuracy(_moment: datetime) -> Iterator[Reading]:
    """The newest scored run of each clinic; wrong where the newest three are below the threshold.

    A run is scored as far as its pages are signed; one that only tries another configuration alarms nobody. One without
    a proposal has no precision, and one whose pages hold no number no recall: it is passed over.
    """
    for clinic_id in Clinic.objects.values_list("pk", flat=True):
        for kind, other in ((AlertKind.PRECISION, "fp"), (AlertKind.RECALL, "fn")):
            ratios = newest_ratios(clinic_id, other)
            if ratios:
                is_wrong = three_in_a_row(ratio < LEAST_RATIO for ratio in ratios)
                yield Reading(kind, ratios[0], is_wrong, clinic_id)


def newest_ratios(clinic_id: UUID, other: str) -> list[float]:
    """TP / (TP + `other`) of the clinic's newest runs that have it, newest first."""
    counted = PageScore.objects.filter(run=OuterRef("pk"), is_reviewed=True).exclude(**{"tp": 0, other: 0})
    runs = Run.objects.filter(Exists(counted), document__clinic_id=clinic_id).order_by("-created_at", "pk")
    newest = list(runs.values_list("pk", flat=True)[:IN_A_ROW])
    rows = PageScore.objects.filter(run__in=newest).order_by().values("run").annotate(hits=Sum("tp"), rest=Sum(other))
    ratio_of = {row["run"]: row["hits"] / (row["hits"] + row["rest"]) for row in rows}
    return [ratio_of[pk] for pk in newest]
