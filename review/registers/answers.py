"""A transcript as a file for the person whom it is about: JSON, a table, or pages to read. Pure but for the clock.

French, as letters are: the person gets it, not the member of staff. Moments are on the clinic's clock. What the machine
concluded stands apart in the JSON ("inferred"): the right to a structured format is to what was collected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

from django.utils import timezone

from audit.formats.spreadsheet import to_csv
from audit.registers import files
from extraction import nam
from review.registers.transcript import Held, Transcript

HEAD = ("Nature", "Date et heure", "Document", "Page", "NAM", "Visite", "Par", "Détail")
VERDICTS = {"confirm": "confirmé", "correct": "corrigé", "reject": "rejeté", "add": "ajouté à la main"}
FINDERS = {"pattern": "règles", "model": "modèle de langue"}
ROLES = {"staff": "personnel", "reviewer": "révision", "admin": "administration", "": "système"}


def write_json(found: Transcript, clinic: str) -> bytes:
    return files.to_json(
        {
            "nam": found.nam,
            "clinic": clinic,
            "made": timezone.now().isoformat(timespec="seconds"),
            "held": [_held(each) for each in found.held],
            "consulted": [
                {**each._asdict(), "at": each.at.isoformat(timespec="seconds"),
                 "document": str(each.document) if each.document else None}
                for each in found.consulted
            ],
            "sent": [
                {"at": each.at.isoformat(timespec="seconds"), "recipient": each.recipient, "by": each.by}
                for each in found.sent
            ],
        }
    )  # fmt: skip


def _held(each: Held) -> dict[str, Any]:
    body: dict[str, Any] = {
        "document": str(each.document),
        "page": each.page,
        "nam": each.nam,
        "visitDate": each.day,
        "visitTime": each.clock,
        "at": each.at.isoformat(timespec="seconds"),
    }
    if each.verdict:
        undone = each.undone_at and each.undone_at.isoformat(timespec="seconds")
        return body | {"decision": each.verdict, "by": each.by, "undone": undone}
    return body | {"inferred": {"foundBy": list(each.found_by), "confidence": each.confidence}}


def write_csv(found: Transcript, _clinic: str) -> bytes:
    return to_csv(HEAD, _rows(found))


def _rows(found: Transcript) -> Iterator[tuple[str, ...]]:
    """Every line of a transcript, under `HEAD`."""
    for held in found.held:
        visit = " ".join(part for part in (held.day, held.clock) if part)
        place = str(held.document), str(held.page), nam.grouped(held.nam) if held.nam else ""
        if held.verdict:
            undone = f", annulé le {_moment(held.undone_at)}" if held.undone_at else ""
            yield "Décision", _moment(held.at), *place, visit, held.by, VERDICTS[held.verdict] + undone
        else:
            finders = ", ".join(FINDERS[name] for name in held.found_by)
            detail = f"confiance {100 * (held.confidence or 0):.1f} %".replace(".", ",")
            yield "Proposition", _moment(held.at), *place, visit, finders, detail
    for seen in found.consulted:
        document, page = str(seen.document or ""), str(seen.page or "")
        who = f"{seen.who} ({ROLES.get(seen.role, seen.role)})" if seen.who else ROLES[""]
        yield "Consultation", _moment(seen.at), document, page, "", "", who, seen.what
    for sent in found.sent:
        yield "Communication", _moment(sent.at), "", "", "", "", sent.by, sent.recipient


def _moment(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


def write_pdf(found: Transcript, clinic: str) -> bytes:
    """Letter pages, landscape; the table's head on each."""
    from reportlab.lib.pagesizes import LETTER, landscape
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()
    small = styles["BodyText"].clone("small", fontSize=7, leading=8.5)

    def cells(row: tuple[str, ...]) -> list[Any]:
        return [Paragraph(_escaped(cell), small) for cell in row]

    file = BytesIO()
    page = SimpleDocTemplate(file, pagesize=landscape(LETTER), leftMargin=36, rightMargin=36, topMargin=36,
                             bottomMargin=36, title="Transcription", author=clinic, lang="fr-CA")  # fmt: skip
    rows = [cells(HEAD), *(cells(_short(row)) for row in _rows(found))]
    widths = (60, 72, 54, 30, 84, 78, 110, 232)
    page.build(
        [
            Paragraph("Transcription des renseignements détenus", styles["Title"]),
            Paragraph(
                _escaped(f"{clinic} — NAM {nam.grouped(found.nam)} — {_moment(timezone.now())}"), styles["BodyText"]
            ),
            Paragraph(_escaped(_SUMMARY if found.held else _NOTHING), styles["BodyText"]),
            Spacer(0, 8),
            Table(rows, colWidths=widths, repeatRows=1, style=_STYLE, splitInRow=1),
        ]
    )
    return file.getvalue()


_SUMMARY = (
    "Ce que le système a proposé (propositions), ce que des personnes ont décidé (décisions), qui a consulté les pages "
    "où figure le numéro (consultations) et à qui il a été communiqué (communications). Les pages elles-mêmes sont "
    "conservées chiffrées; une copie s’obtient sur demande."
)
_NOTHING = "Le système ne détient aucun numéro qui corresponde à celui-ci."
_STYLE = [("LINEBELOW", (0, 0), (-1, -1), 0.25, "#999999"), ("VALIGN", (0, 0), (-1, -1), "TOP")]


def _short(row: tuple[str, ...]) -> tuple[str, ...]:
    """The first block of a document's identifier is enough to tell documents apart on paper."""
    return (*row[:2], row[2][:8], *row[3:])


def _escaped(text: str) -> str:
    """For reportlab's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Answer(NamedTuple):
    """How an answer is written, and what a browser is told of it."""

    write: Callable[[Transcript, str], bytes]
    content_type: str


ANSWERS = {
    "pdf": Answer(write_pdf, "application/pdf"),
    "csv": Answer(write_csv, "text/csv; charset=utf-8"),
    "json": Answer(write_json, "application/json"),
}
