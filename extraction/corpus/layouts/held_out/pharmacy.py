"""A pharmacy's transfer form: two files a page, English words among the French, the NAM under its label."""

from __future__ import annotations

from datetime import timedelta

from extraction.corpus.layouts.held_out.wording import (
    ENGLISH_DATES,
    FRENCH_DATES,
    padded_tight_time,
    tight_english_time,
)
from extraction.corpus.layouts.sheet import Sheet
from extraction.corpus.people import invent_physician, invent_street, invent_telephone

FILES, TOP, HIGH = 4, 92.0, 166.0
DRUGS = (
    "Metformine 500 mg", "Atorvastatine 20 mg", "Lévothyroxine 75 mcg", "Ramipril 5 mg", "Pantoprazole 40 mg",
    "Sertraline 50 mg", "Salbutamol 100 mcg", "Amoxicilline 500 mg", "Apixaban 5 mg",
)  # fmt: skip
UNKNOWN = 0.3


def draw(sheet: Sheet) -> None:
    """Files transferred on one day; some entries give the time of the service, some only its date."""
    rng, day = sheet.rng, sheet.setting.day
    sheet.bold(44, 40, "TRANSFERT DE DOSSIERS / PRESCRIPTION TRANSFER", 12)
    sheet.text(44, 54, f"De : Pharmacie {sheet.person().full_name} inc.   {invent_telephone(rng)}", 8.5)
    sheet.text(44, 66, f"À : {sheet.setting.clinic.name}   Fax {sheet.setting.clinic.fax}", 8.5)
    say_day, say_time = rng.choice((*FRENCH_DATES, *ENGLISH_DATES)), rng.choice((padded_tight_time, tight_english_time))
    for place in range(sheet.wanted(FILES, FILES)):
        top, person = TOP + HIGH * place, sheet.patient()
        moment = None if rng.random() < UNKNOWN else sheet.moment(9, 20, 1)
        sheet.frame(44, top, 568, top + HIGH - 14, 0.5)
        sheet.text(300, top + 14, "Numéro d'assurance maladie / Medicare no.", 6.5)
        sheet.nam(300, top + 27, person, 10, day=day, moment=moment)
        sheet.text(52, top + 14, "Nom / Name", 6.5)
        sheet.text(52, top + 27, sheet.fit(person.full_name, 10.5, 230), 10.5)
        sheet.text(52, top + 42, f"{invent_street(rng)}    DDN {person.birth:%d-%m-%Y}", 8)
        clock = f" {say_time(moment)}" if moment else ""
        sheet.text(300, top + 42, f"Date du service : {say_day(day)}{clock}", 8.5)
        _prescriptions(sheet, top + 60)
    sheet.text(44, 770, f"Transmis le {day + timedelta(days=1):%Y-%m-%d} 09:12", 7)


def _prescriptions(sheet: Sheet, top: float) -> None:
    rng = sheet.rng
    for x, title in ((52, "Rx"), (140, "Médicament"), (300, "Prescripteur"), (470, "Renouv."), (520, "Qté")):
        sheet.bold(x, top, title, 7.5)
    for row in range(4):
        y, physician = top + 15 * (row + 1), invent_physician(rng)
        number = sheet.decoy() if rng.random() < 1 / 5 else str(rng.randint(1_000_000, 9_999_999))
        sheet.text(52, y, number, 8)
        sheet.text(140, y, rng.choice(DRUGS), 8)
        sheet.text(300, y, f"{physician.surname}, {physician.given_name} {physician.licence}", 8)
        sheet.text(470, y, str(rng.randint(0, 12)), 8)
        sheet.text(520, y, str(rng.choice((30, 60, 90))), 8)
