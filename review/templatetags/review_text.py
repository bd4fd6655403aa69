"""What a reviewer reads of a finding: its doubts, its finders, its confidence, and what a repair changes."""

from __future__ import annotations

from itertools import zip_longest

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from extraction import nam
from extraction.kinds import Kind
from extraction.models import Finding, FormKind
from extraction.page import Box
from review.agreement import Category
from review.differences import Difference
from review.exports.lines import Reason
from review.models import Verdict
from review.queries import Item
from review.scores import AT_ONCE

register = template.Library()


@register.filter
def cited(article: str) -> str:
    """An article of a law with the sign that the language writes before its number."""
    section = pgettext("article of a law", "s.")
    return article.replace(" s. ", f" {section} ")


DOUBTS: dict[str, str | Promise] = {
    "format": _("not the shape of a NAM"),
    "birth_date": _("the birth date does not exist"),
    "check_character": _("the check character does not match"),
    "name": _("does not match the name printed nearby"),
    "model_only": _("seen by the model only"),
    "repaired": _("can be read in more than one way"),
}

REPAIRS: dict[str, str | Promise] = {
    "look_alike": _("characters that look alike"),
    "check_character": _("makes the check character match"),
    "name_nearby": _("from the name printed nearby"),
    "second_look": _("read a second time, enlarged"),
}

WITHHELD: dict[str, str | Promise] = {
    Reason.RESTRICTED: _("its person restricted the access to it for your role"),
    Reason.HIDDEN: _("its page is being reviewed a second time, and you may be the one who is asked"),
    Reason.UNDECIDED: _("nobody has decided on it"),
    Reason.UNSIGNED: _("its page is not signed off"),
    Reason.DISPUTED: _("two reviewers disagree about its page: a third person decides first"),
    Reason.UNDATED: _("it has no visit date"),
    Reason.BEFORE_BIRTH: _("the visit is before the birth"),
    Reason.FAILED_CHECK: _("it fails a check; may be included"),
    Reason.REPEATED: _("the same number, date and time stand above; may be included"),
}

SHORTCUTS: tuple[tuple[str, str, str | Promise], ...] = (
    ("next", "J", _("next one")),
    ("previous", "K", _("previous one")),
    ("doubtful", "N", _("next doubtful one")),
    ("edit", "E", _("edit the number; Esc leaves the field")),
    ("day", "D", _("edit the visit date")),
    ("clock", "H", _("edit the time")),
    ("reject", "X", _("reject")),
    ("add", "A", _("add a NAM")),
    ("at_once", "C", _("confirm at once what passes every check, on a page that you have seen")),
    ("undo", "Z", _("undo")),
    ("before", "PgUp", _("page before")),
    ("after", "PgDn", _("next page")),
    ("closer", "+", _("zoom in")),
    ("farther", "−", _("zoom out")),
    ("whole", "0", _("whole page")),
    ("turn", "R", _("turn the page image")),
    ("help", "?", _("this list")),
)
"""Single keys as they are at first (static/js/keys.js), and what they do."""

READERS: dict[str, str | Promise] = {
    "": _("nobody: unread"),
    "text_layer": _("text layer"),
    "local": _("local OCR"),
    "textract": "Textract",
}

KINDS: dict[str, str | Promise] = {
    "": _("not known"),
    Kind.DIGITAL: _("made by a program"),
    Kind.SCAN: _("scanned or copied"),
    Kind.PHOTO: _("photographed"),
    Kind.FAX: _("faxed"),
    Kind.MIXED: _("mixed"),
}

SPLITS: dict[str, str | Promise] = {
    "kind": _("How it came to be"),
    "form_kind": _("Kind of document"),
}

CATEGORIES: dict[str, str | Promise] = {
    Category.CORRECT: _("proposal right"),
    Category.WRONG: _("proposal wrong"),
    Category.MISSING: _("number added"),
    Category.ABSENT: _("no number seen"),
}

ACTIONS: dict[str, str | Promise] = {
    Verdict.CONFIRM: _("confirmed"),
    AT_ONCE: _("confirmed at once"),
    Verdict.CORRECT: _("corrected"),
    Verdict.REJECT: _("rejected"),
    Verdict.ADD: _("added by hand"),
}

FIELDS: dict[str, str | Promise] = {
    "day": _("other date"),
    "clock": _("other time"),
    "place": _("other place"),
    "confidence": _("other confidence"),
}

SURE, LIKELY = 0.95, 0.8
"""Confidences from which a proposal is called certain, and likely."""

MARGIN = (0.008, 0.004)
"""Between the print and its outline, in fractions of the page's width and height."""


@register.simple_tag(takes_context=True)
def panel_address(context: Context, action: str) -> str:
    """Where a form of the panel sends its answer: `decide`, `undo` or `add`, of the first review or of the second."""
    second = context.get("second")
    if action == "add":
        own = [second.pk] if second else [context["document"].pk, context["page"].number]
    elif action == "undo":
        own = [context["item"].decision.pk]
    else:
        own = [*([second.pk] if second else []), context["item"].finding.pk]
    return reverse(f"review:second-{action}" if second else f"review:{action}", args=own)


@register.filter
def split_words(by: str) -> str:
    """By what scores are split."""
    return str(SPLITS[by])


@register.filter
def kind_words(kind: str, by: str = "kind") -> str:
    """A kind of document: how it came to be, or what it is (`form_kind`)."""
    if by == "form_kind":
        return str(FormKind(kind).label) if kind else str(_("not said"))
    return str(KINDS[kind])


@register.filter
def action_words(action: str) -> str:
    """What a reviewer did with an item."""
    return str(ACTIONS[action])


@register.filter
def category(code: str) -> str:
    """What a reviewer says of an item."""
    return str(CATEGORIES[code])


@register.filter
def hundredths(value: float | None) -> str:
    """A coefficient with two decimals, as the language writes it; a dash where it is undefined."""
    return "—" if value is None else str(number_format(value, decimal_pos=2))


@register.filter
def between(ends: tuple[float, float] | None) -> str:
    """The ends of a coefficient's interval, such as "0.51 to 0.85"; nothing where there is none."""
    if ends is None:
        return ""
    low, high = (number_format(end, decimal_pos=2) for end in ends)
    return str(_("%(low)s to %(high)s") % {"low": low, "high": high})


@register.filter
def sides(box: Box) -> str:
    """A place as the form of an addition takes it."""
    return ",".join(f"{side:.5f}" for side in box)


@register.simple_tag
def shortcuts() -> tuple[tuple[str, str, str | Promise], ...]:
    """Name, key and words of each single-key shortcut that a person may change."""
    return SHORTCUTS


@register.filter
def doubt(code: str) -> str:
    return str(DOUBTS.get(code, code))


@register.filter
def repair_reason(code: str) -> str:
    return str(REPAIRS.get(code, _("another reading")))


@register.filter
def export_reason(reason: str) -> str:
    return str(WITHHELD[reason])


@register.filter
def finders(found_by: list[str]) -> str:
    """Who found it, in words."""
    if set(found_by) == {"pattern", "model"}:
        return str(_("found by the pattern and by the model"))
    return str(_("found by the model") if found_by == ["model"] else _("found by the pattern"))


@register.filter
def confidence(value: float) -> str:
    """A confidence of 0..1 in words."""
    if value >= SURE:
        return str(_("high confidence"))
    return str(_("medium confidence") if value >= LIKELY else _("low confidence"))


@register.filter
def grouped(value: str) -> str:
    """A NAM in groups of four."""
    return nam.grouped(value)


@register.filter
def compared_with(value: str, other: str) -> str:
    """`value` in groups of four, as HTML; what differs from `other` at its place is marked."""
    ours, theirs = nam.grouped(value), nam.grouped(other)
    pairs = zip_longest(ours, theirs[: len(ours)], fillvalue="")
    marked = (format_html("<mark>{}</mark>", mine) if mine != their else mine for mine, their in pairs)
    return format_html_join("", "{}", ((each,) for each in marked))


@register.filter
def doubtful_characters(finding: Finding) -> str:
    """The proposed value in groups of four, as HTML; what another reading has otherwise is marked."""
    value = str(finding.value)
    others = [str(repair["nam"]) for repair in finding.ranked_repairs]
    parts = []
    for at, character in enumerate(value):
        is_doubted = any(other[at : at + 1] != character for other in others)
        parts.append(" " if at and at % 4 == 0 else "")
        parts.append(format_html("<mark>{}</mark>", character) if is_doubted else character)
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def kind(item: Item) -> str:
    """The style of an item: decided (and how), doubtful or open."""
    if item.decision is not None:
        return f"decided {item.decision.verdict}"
    return "doubtful" if item.is_doubtful else "open"


@register.filter
def mark(item: Item) -> str:
    """The shape that stands before an item."""
    if item.decision is not None:
        return "✕" if item.decision.verdict == Verdict.REJECT else "✓"
    return "?" if item.is_doubtful else "○"


@register.filter
def outline(box: Box) -> str:
    """The SVG attributes of a rectangle around `box`, clear of the print; points as decimal signs in every language."""
    around = box.grown(*MARGIN)
    return format_html(
        'x="{}" y="{}" width="{}" height="{}"',
        *(f"{side:.5f}" for side in (around.x0, around.y0, around.width, around.height)),
    )


@register.filter
def percent(value: float | None) -> str:
    """A ratio as a percentage without its sign, as the language writes it; a dash where it has no denominator."""
    return "—" if value is None else str(number_format(100 * value, decimal_pos=1))


@register.filter
def number(value: float, places: int = 0) -> str:
    """A number as the language writes it."""
    return str(number_format(value, decimal_pos=places))


@register.filter
def interval(ends: tuple[float, float] | None) -> str:
    """A 95 % interval in percent, such as "97.9–99.2"; nothing where there is nothing to count."""
    if ends is None:
        return ""
    return "–".join(number_format(100 * end, decimal_pos=1) for end in ends)


@register.filter
def reader_words(reader: str) -> str:
    """Who read a page."""
    return str(READERS.get(reader, reader))


@register.filter
def difference_words(difference: Difference) -> str:
    """In what two extractions differ here."""
    if difference.first is None:
        return str(_("only in B"))
    if difference.second is None:
        return str(_("only in A"))
    return ", ".join(str(FIELDS[name]) for name in difference.fields)
