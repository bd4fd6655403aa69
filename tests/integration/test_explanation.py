"""The page that explains a proposal: parts with versions, factors with weights, decisions; masked and journalled."""

from __future__ import annotations

import pytest
from django.urls import reverse

from audit.models import Event
from audit.verbs import Verb
from extraction.finders import confidence
from extraction.finders.proposal import Checks
from extraction.models import Finder
from review import actions
from review.actions import Value
from review.models import SecondReview, SignOff
from review.registers.explanation import EVIDENCE, explain
from tests.factories import DocumentFactory, FindingFactory, RunFactory, RunPageFactory, UserFactory, page_of

pytestmark = pytest.mark.django_db

KNOWN = confidence.score(Checks(True, True, True, True), reading=0.97, found_by=("pattern",), labelled=True)


@pytest.fixture
def finding(staff):
    run = RunFactory(document=DocumentFactory(uploaded_by=staff), rules_version="2026-11-27.2")
    RunPageFactory(run=run, words=page_of("NAM").to_json())
    return FindingFactory(run=run, confidence=float(KNOWN), witnesses=KNOWN.witnesses.to_json())


def page(client, finding):
    return client.get(reverse("registers:explanation", args=[finding.pk]))


def test_every_piece_of_evidence_has_words():
    assert set(EVIDENCE) == set(confidence.EVIDENCE)


def test_the_factors_add_up_to_the_confidence(finding):
    from math import exp

    explained = explain(finding)
    total = explained.base + sum(factor.adds for factor in explained.factors)
    assert min(confidence.MOST, round(1 / (1 + exp(-total)), 4)) == finding.confidence
    assert explained.is_current


def test_other_weights_since_are_admitted(finding):
    finding.confidence = 0.5
    assert not explain(finding).is_current


def test_what_an_older_version_found_is_explained_without_factors(finding, reviewer_client):
    finding.witnesses = None
    finding.save()
    assert explain(finding).factors == []
    assert page(reviewer_client, finding).status_code == 200


def test_the_page_names_the_parts_with_their_versions(finding, reviewer_client):
    finding.run.finder, finding.run.model_name, finding.run.prompt_version = Finder.HYBRID, "llama-nam", "nam-v1"
    finding.run.save()
    text = page(reviewer_client, finding).content.decode()
    for version in ("2026-11-27.2", "llama-nam", "nam-v1"):
        assert version in text


def test_the_page_says_who_decided(finding, reviewer, staff_client):
    actions.decide(finding=finding, value=Value.of(finding), by=reviewer)
    assert reviewer.name in page(staff_client, finding).content.decode()


def test_a_second_reviewer_is_not_told_who_decided(finding, reviewer_client, clinic):
    first = UserFactory(clinic=clinic, role="reviewer", name="Prune Première")
    actions.decide(finding=finding, value=Value.of(finding), by=first)
    signed = SignOff.objects.create(document=finding.run.document, page=1, by=first)
    SecondReview.objects.create(
        document=finding.run.document, run=finding.run, page=1, sign_off=signed, cause="sample", state="waiting"
    )
    assert first.name not in page(reviewer_client, finding).content.decode()
    assert Event.objects.get(verb=Verb.PROPOSAL_EXPLAINED).details == {"blind": "1"}


@pytest.mark.parametrize("who", ["reviewer_client", "admin_client"])
def test_the_number_is_masked(finding, who, request):
    text = page(request.getfixturevalue(who), finding).content.decode()
    assert finding.value not in text.replace(" ", "")
    assert "••••" in text


def test_it_is_journalled(finding, reviewer_client, reviewer):
    page(reviewer_client, finding)
    event = Event.objects.get(verb=Verb.PROPOSAL_EXPLAINED)
    assert (event.actor_id, event.object_id, event.page) == (reviewer.pk, finding.pk, 1)


def test_another_clinics_proposal_is_not_explained(finding, outsider_client):
    assert page(outsider_client, finding).status_code == 404


def test_the_review_page_leads_there(finding, reviewer_client):
    review = reviewer_client.get(reverse("review:document-detail", args=[finding.run.document_id]))
    assert reverse("registers:explanation", args=[finding.pk]) in review.content.decode()
