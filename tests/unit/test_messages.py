"""Strings are collected as Django looks them up, and nothing that is left to do goes unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from django.core.management import call_command
from django.template import Context, Engine
from django.utils import translation

from namsite import messages
from namsite.messages import Found

TEMPLATE = """{% load i18n %}
<p>{% translate "Sign off" %} {% translate 'It''s 100 % done' %}{% translate "May" context "month" %}</p>
{% translate "Upload" as title %}{{ title }}
{{ missing|default:_("none, 5 %") }}
{% blocktranslate %}Hello {{ name }}, 50 % left.{% endblocktranslate %}
{% blocktranslate trimmed %}
    Two lines
    become one.
{% endblocktranslate %}
{% blocktranslate trimmed count n=3 %}
  One page
{% plural %}
  {{ n }} pages
{% endblocktranslate %}
{% blocktranslate context "verb" with who=name %}Review by {{ who }}{% endblocktranslate %}
{# {% translate "not this one" %} #}
""".replace("It''s", "It is")


@pytest.fixture
def looked_up(monkeypatch):
    """Every (context, text) that Django asks the catalog for."""
    asked: set[tuple[str | None, str | tuple[str, str]]] = set()

    def note(context, text, plural=None):
        asked.add((context, text if plural is None else (text, plural)))
        return text

    catalog = translation._trans
    monkeypatch.setattr(catalog, "gettext", lambda text: note(None, text))
    monkeypatch.setattr(catalog, "pgettext", note)
    monkeypatch.setattr(catalog, "ngettext", lambda one, many, number: note(None, one, many))
    monkeypatch.setattr(catalog, "npgettext", lambda context, one, many, number: note(context, one, many))
    return asked


def test_the_strings_of_a_template_are_those_it_looks_up(looked_up):
    libraries = {"i18n": "django.templatetags.i18n"}
    Engine(libraries=libraries).from_string(TEMPLATE).render(Context({"name": "Ada"}))
    assert {(each.context, each.text) for each in messages.in_template(TEMPLATE, "t.html")} == looked_up
    assert len(looked_up) == 9


PYTHON = b"""
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext_lazy
A = _("One")
B = gettext_lazy("Two " "parts")
def c(n): return ngettext("%(n)d page", "%(n)d pages", n)
D = pgettext_lazy("month", "May")
E = f("not this one")
"""


def test_the_strings_of_a_module_are_the_arguments_of_the_translating_functions():
    assert list(messages.in_python(PYTHON, "m.py")) == [
        Found("One", None, "m.py"),
        Found("Two parts", None, "m.py"),
        Found(("%(n)d page", "%(n)d pages"), None, "m.py"),
        Found("May", "month", "m.py"),
    ]


@pytest.fixture
def project(settings, tmp_path):
    """A small project with two strings."""
    settings.BASE_DIR = tmp_path
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        '{% translate "Sign off" %}'
        "{% blocktranslate count n=2 %}{{ n }} page{% plural %}{{ n }} pages{% endblocktranslate %}"
    )
    return tmp_path


def translate(project: Path, **changes: str) -> None:
    """Fills the project's two messages in."""
    po = project / messages.PO
    text = po.read_text()
    text = text.replace('msgid "Sign off"\nmsgstr ""', f'msgid "Sign off"\nmsgstr "{changes.get("sign", "Signer")}"')
    text = text.replace('msgstr[0] ""', f'msgstr[0] "{changes.get("one", "%(n)s page")}"')
    po.write_text(text.replace('msgstr[1] ""', 'msgstr[1] "%(n)s pages"'))


def test_a_project_whose_messages_are_translated_and_compiled_has_nothing_left_to_do(project):
    messages.update()
    translate(project)
    messages.update()
    assert list(messages.complaints()) == []


def test_the_same_sources_give_the_same_bytes(project):
    messages.update()
    po = project / messages.PO
    before = po.read_bytes(), po.with_suffix(".mo").read_bytes()
    messages.update()
    assert (po.read_bytes(), po.with_suffix(".mo").read_bytes()) == before


def add_string(project: Path) -> None:
    (project / "templates" / "new.html").write_text('{% translate "Reopen" %}')


def remove_strings(project: Path) -> None:
    (project / "templates" / "page.html").write_text("")


def mark_uncertain(project: Path) -> None:
    po = project / messages.PO
    po.write_text(po.read_text().replace('msgid "Sign off"', '#, fuzzy\nmsgid "Sign off"'))


def empty_one(project: Path) -> None:
    po = project / messages.PO
    po.write_text(po.read_text().replace('msgstr "Signer"', 'msgstr ""'))


def edit_without_compiling(project: Path) -> None:
    po = project / messages.PO
    po.write_text(po.read_text().replace('msgstr "Signer"', 'msgstr "Parapher"'))


def lose_a_placeholder(project: Path) -> None:
    po = project / messages.PO
    po.write_text(po.read_text().replace('msgstr[0] "%(n)s page"', 'msgstr[0] "%(m)s page"'))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (add_string, "not in"),
        (remove_strings, "in no source any more"),
        (mark_uncertain, "uncertain"),
        (empty_one, "not translated"),
        (edit_without_compiling, "is not what"),
        (lose_a_placeholder, "placeholder"),
    ],
)
def test_whatever_is_left_to_do_is_said_and_fails_the_check(project, fault, said, capsys):
    messages.update()
    translate(project)
    messages.update()
    fault(project)
    with pytest.raises(SystemExit) as stopped:
        call_command("messages", "--check")
    assert stopped.value.code == 1
    assert said in capsys.readouterr().err


def test_a_translation_whose_source_is_gone_stays_until_it_is_pruned(project):
    messages.update()
    translate(project)
    messages.update()
    remove_strings(project)
    messages.update()
    assert '#~ msgid "Sign off"' in (project / messages.PO).read_text()
    messages.update(prune=True)
    assert "Sign off" not in (project / messages.PO).read_text()


def test_the_compiled_file_holds_the_translations(project):
    messages.update()
    translate(project)
    messages.update()
    with (project / messages.PO).with_suffix(".mo").open("rb") as file:
        assert read_mo(file).get("Sign off").string == "Signer"


def test_canadian_french_finds_the_french_messages(project, settings):
    messages.update()
    translate(project)
    messages.update()
    settings.LOCALE_PATHS = [project / "namsite" / "locale"]
    with translation.override("fr-ca"):
        assert translation.gettext("Sign off") == "Signer"
        assert translation.ngettext("%(n)s page", "%(n)s pages", 0) == "%(n)s page"  # Zero is singular in French.
    with translation.override("en"):
        assert translation.gettext("Sign off") == "Sign off"


def test_django_s_own_messages_are_french_too():
    with translation.override("fr-ca"):
        assert translation.gettext("This field is required.") == "Ce champ est obligatoire."
