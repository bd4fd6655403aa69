"""Requests with a stub to tear off: the same NAM twice for one person, in two styles and two sizes."""

from __future__ import annotations

from extraction.corpus.layouts.sheet import WIDTH, Sheet
from extraction.corpus.people import invent_telephone
from extraction.corpus.wording import CARD, DATE_STYLES, SHORT, TIME_STYLES, NamStyle, iso_date

PEOPLE, TOP, HIGH = 3, 40.0, 244.0
TESTS = ("Radiographie pulmonaire", "Échographie abdominale", "Mammographie", "Ostéodensitométrie", "Écho cardiaque")


def draw(sheet: Sheet) -> None:
    """Three requests a page; each shows its NAM in the request and on the stub."""
    for place in range(sheet.wanted(2 * PEOPLE, 2 * PEOPLE) // 2):
        _request(sheet, TOP + HIGH * place)


def _request(sheet: Sheet, top: float) -> None:
    rng, setting, person, moment = sheet.rng, sheet.setting, sheet.patient(), sheet.moment()
    day, clinic = setting.day, setting.clinic
    said_day, said_time = rng.choice(DATE_STYLES)(day), rng.choice(TIME_STYLES)(moment)
    sheet.frame(36, top, 576, top + HIGH - 18, 0.7)
    sheet.bold(46, top + 18, sheet.fit(clinic.name, 10, 210, font=setting.face.bold), 10)
    sheet.bold(388, top + 18, "Requête d'imagerie", 10.5, align="right")
    sheet.text(46, top + 40, "Usager", 7)
    sheet.bold(46, top + 52, sheet.fit(person.index_name, 11, 190), 11)
    sheet.text(250, top + 40, "Nº d'assurance maladie", 7)
    sheet.nam(250, top + 53, person, 11, day=day, moment=moment)
    sheet.text(46, top + 74, f"Naissance : {iso_date(person.birth)}    Tél. : {invent_telephone(rng)}", 9)
    sheet.text(46, top + 94, f"Date de la visite : {said_day}", 9.5)
    sheet.text(250, top + 94, f"Heure : {said_time}", 9.5)
    sheet.text(46, top + 118, f"Examen : {rng.choice(TESTS)}", 10)
    sheet.text(46, top + 136, f"Requête {sheet.decoy()}", 8)
    sheet.text(46, top + 200, f"{setting.physician.full_name}, permis {setting.physician.licence}", 8.5)
    sheet.scribble(240, top + 196)
    _stub(sheet, top, person.full_name)
    style = NamStyle(SHORT, "") if setting.style.groups == CARD else NamStyle(CARD, " ")
    caption = sheet.text(408, top + 76, "NAM ", 8)
    sheet.nam(caption.x1 * WIDTH, top + 76, person, 9, day=day, moment=moment, style=style)
    sheet.text(408, top + 94, f"Visite : {iso_date(day)} {said_time}", 8.5)


def _stub(sheet: Sheet, top: float, name: str) -> None:
    sheet.canvas.setDash(3, 3)
    sheet.line(398, top, 398, top + HIGH - 18, 0.6)
    sheet.canvas.setDash()
    sheet.bold(408, top + 18, "Talon à conserver", 9)
    sheet.text(408, top + 58, sheet.fit(name, 9, 160), 9)
    sheet.text(408, top + 120, "À présenter le jour de l’examen", 7.5)
    sheet.text(408, top + 132, f"Renseignements : {sheet.setting.clinic.telephone}", 7.5)
