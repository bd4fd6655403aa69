"""A section for each kind of alert, in both languages, that begins with what the alert says and names what there is."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import gettext

from extraction import banner
from extraction.errors import SENTENCES
from extraction.models import Alert, AlertKind
from namsite.doctor.probes import Section

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TWINS = {"en": "runbooks.md", "fr-ca": "interventions.md"}
PARTS = {
    "en": ["What it means", "What to look at", "What to do", "When it is over", "Whom to tell"],
    "fr-ca": ["Ce que cela veut dire", "Où regarder", "Quoi faire", "Quand c'est fini", "Qui aviser"],
}


def sections(language):
    """Heading → body, in the order of the page."""
    _introduction, *found = re.split(r"^## (.*)\n", (DOCS / TWINS[language]).read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(found[::2], found[1::2], strict=True))


def label(kind, language):
    with translation.override(language):
        return str(AlertKind(kind).label)


def codes(body):
    return re.findall(r"`([^`]+)`", " ".join(body.split()))


CASES = [(language, kind) for language in TWINS for kind in AlertKind]


@pytest.mark.parametrize("language", TWINS)
def test_there_is_a_section_for_each_kind_in_their_order_and_no_other(language):
    assert list(sections(language)) == [label(kind, language) for kind in AlertKind]


@pytest.mark.parametrize(("language", "kind"), CASES)
def test_a_section_begins_with_the_alert_s_own_sentences_in_both_languages(language, kind):
    body = sections(language)[label(kind, language)]
    expected = []
    for text in banner.TEXTS[kind].values():
        with translation.override("fr-ca"):
            expected += [gettext(text), text]
    assert re.findall(r"^> (.*)$", body, flags=re.M) == expected
    assert body.lstrip().startswith("> ")


@pytest.mark.parametrize(("language", "kind"), CASES)
def test_a_section_says_what_it_means_where_to_look_what_to_do_when_it_is_over_and_whom_to_tell(language, kind):
    body = sections(language)[label(kind, language)]
    assert re.findall(r"^- \*\*(.*)\.\*\*", body, flags=re.M) == PARTS[language]


@pytest.mark.parametrize("kind", AlertKind)
def test_a_section_and_its_twin_name_the_same_commands_pages_and_metrics(kind):
    english, french = (sorted(codes(sections(language)[label(kind, language)])) for language in TWINS)
    assert english == french


@pytest.mark.parametrize("language", TWINS)
def test_what_a_section_names_is_there(language):
    said = set(chain.from_iterable(map(codes, sections(language).values())))
    metrics = set(re.findall(r"^\| `(namsite_\w+)`", (DOCS / "monitoring.md").read_text(encoding="utf-8"), flags=re.M))
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    settings = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert {each for each in said if each.startswith("namsite_")} - metrics == set()
    assert {each.split()[1] for each in said if each.startswith("manage ")} - commands == set()
    assert {each.split()[3] for each in said if "doctor --section" in each} <= set(Section)
    assert {each for each in said if each.startswith("model_")} - {*SENTENCES, "model_missing"} == set()
    assert {each for each in said if each.isupper() and f"`{each}`" not in settings} == set()
    assert [each for each in said if each.startswith("/") and not is_address(each)] == []
    assert [each for each in said if re.fullmatch(r"[\w./-]+\.(py|txt)", each) and not (ROOT / each).is_file()] == []


def is_address(path):
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


@pytest.mark.parametrize("name", TWINS.values())
def test_every_page_that_is_linked_is_there(name):
    linked = re.findall(r"\]\(([\w./-]+\.md)\)", (DOCS / name).read_text(encoding="utf-8"))
    assert linked
    assert [each for each in linked if not (DOCS / each).is_file()] == []


@pytest.mark.parametrize(("language", "kind"), CASES)
def test_an_alert_names_its_section(language, kind):
    with translation.override(language):
        said = banner.runbook(Alert(kind=kind))
    assert f"docs/{TWINS[language]}" in said
    assert label(kind, language) in said
