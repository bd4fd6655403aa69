"""What tests of a rollout share: model servers good and bad, documents, and a newcomer that gets certain documents."""

from __future__ import annotations

import re
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from extraction import actions, deployments, jobs, traffic
from extraction.llm import replicas, rollout
from extraction.models import Deployment, DeploymentState, Document, Finding, Question, Run
from tests.factories import agenda_pdf, some_nam
from tests.fakes import vllm

HARD = "_"
"""Printed among the letters of a labelled number, it hides it from the pattern finder and not from a model."""


def reads_well(question: str) -> dict[str, Any]:
    """The answer of a good model: every number as it is printed, the hard ones too."""
    printed = re.findall(r"\b[A-Z]{2}_?[A-Z]{2}\d{8}\b", question)
    return {"nams": [{"nam": each, "name": None, "date": None, "time": None} for each in printed]}


def sees_nothing(_question: str) -> dict[str, Any]:
    """The answer of an adapter that was trained on the wrong thing."""
    return {"nams": []}


def invents(_question: str) -> dict[str, Any]:
    """The answer of an adapter that learnt numbers by heart."""
    return {"nams": [{"nam": some_nam(2999), "name": None, "date": None, "time": None}]}


def numbers_of(page: int, first: int = 0) -> list[str]:
    """The three numbers that are printed on a page of `upload`, the last one printed the hard way."""
    return [some_nam(first + 3 * page + k) for k in range(3)]


def upload(by: Any, *, pages: int, first: int = 0) -> Run:
    """A document whose pages have three numbers each; `first` makes it another one."""
    sheets = []
    for page in range(1, pages + 1):
        easy, other, hard = numbers_of(page, first)
        hours = [f"09:00 NAM : {easy}", f"10:00 NAM : {other}", f"11:00 NAM : {hard[:2]}{HARD}{hard[2:]}"]
        sheets.append([f"Agenda du 3 octobre 2025, page {page}", *hours])
    return actions.upload(data=agenda_pdf(*sheets), file_name="agenda.pdf", by=by).run


def work_off(*runs: Run) -> None:
    """Without looks at the rollout meanwhile: another thread would see nothing of the test's transaction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traffic, "LOOK_SECONDS", 3600.0)
        patch.setattr(traffic, "STALE_SECONDS", 3600.0)
        for run in runs:
            replicas._balancer.cache_clear()  # A worker forks for each run, and the child knows nothing of replicas.
            jobs.run_extraction(run.pk.hex)


def start(endpoint: str, by: Any, *, in_shadow: bool = False, model: str = vllm.MODEL) -> Deployment:
    return deployments.start(
        endpoints=[endpoint], model_name=model, prompt_version="nam-v1", in_shadow=in_shadow, by=by
    )


def give(deployment: Deployment, *documents: Document) -> Deployment:
    """The same deployment under another identity, under which its share holds exactly these documents."""
    others = Document.objects.exclude(pk__in=[each.pk for each in documents])
    for number in count(1):
        identity = UUID(int=number)
        if all(rollout.gets(each.pk, identity, deployment.share) for each in documents) and not any(
            rollout.gets(each.pk, identity, deployment.share) for each in others
        ):
            break
    Deployment.objects.filter(pk=deployment.pk).update(id=identity)
    return Deployment.objects.get(pk=identity)


def good_answers(deployment: Deployment | None, how_many: int, **fields: Any) -> None:
    """Questions that went well."""
    well = {"at": timezone.now(), "seconds": 1.0, "sure": 2, "seen": 2} | fields
    Question.objects.bulk_create([Question(deployment=deployment, **well) for _ in range(how_many)])


def state(deployment: Deployment) -> tuple[str, str]:
    """Where it stands now, and why it ended."""
    now = Deployment.objects.get(pk=deployment.pk)
    return DeploymentState(now.state).value, now.end_reason


def found_on(run: Run, page: int) -> set[str]:
    return {str(finding.value) for finding in Finding.objects.filter(run=run, page=page)}
