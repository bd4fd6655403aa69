"""The pattern finder: what it sees, what it leaves alone, and what it says about each number."""

from __future__ import annotations

import time as clock
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction import nam
from extraction.finders import pattern
from extraction.finders.proposal import Proposal
from extraction.page import Line, Page
from tests.unit.paper import HEIGHT, box_of, page, words

VALUE = "TREM04121925"


def only(*rows: str, reader: str = "local", confidence: float = 1.0) -> Proposal:
    """The one proposal of a page with these rows."""
    found = pattern.find(page(*rows, reader=reader, confidence=confidence))
    assert len(found) == 1, [proposal.nam for proposal in found]
    return found[0]


@pytest.mark.parametrize(
    "printed",
    [
        "TREM04121925",
        "TREM 0412 1925",
        "TREM 04121925",
        "TREM0412 1925",
        "TREM-0412-1925",
        "TREM.0412.1925",
        "TREM - 0412 - 1925",
        "TREM,04121925",
        "TREM , 04 12 19 25",
        "TREM 041219 25",
        "T R E M 0 4 1 2 1 9 2 5",
        "trem 0412 1925",
        "TRÉM 0412 1925",
    ],
)
@pytest.mark.parametrize("around", ["{}", "Patient {} 514 555-0101", "NAM: {}", "({})"])
def test_every_way_of_printing_a_number_is_found_as_printed(printed: str, around: str) -> None:
    proposal = only(around.format(printed))
    assert proposal.nam == VALUE
    assert proposal.text.strip("()") == printed
    assert proposal.checks.valid
    assert proposal.repairs == ()
    assert proposal.found_by == ("pattern",)


@pytest.mark.parametrize("glued", ["NAM:TREM04121925", "NAMTREM04121925", "RAMQ#TREM04121925", "TREM04121925,"])
def test_a_number_glued_to_its_label_is_cut_out_with_its_box(glued: str) -> None:
    sheet = page(glued)
    word = next(sheet.words)
    proposal = only(glued)
    pitch = word.box.width / len(glued)
    start = glued.index("TREM")
    assert (proposal.nam, proposal.text) == (VALUE, "TREM04121925")
    assert proposal.box.x0 == pytest.approx(word.box.x0 + start * pitch)
    assert proposal.box.x1 == pytest.approx(word.box.x0 + (start + 12) * pitch)


def test_the_box_goes_around_all_pieces() -> None:
    sheet = page("Tremblay, Martin|TREM 0412 1925|514 555-0101")
    assert pattern.find(sheet)[0].box == box_of(sheet, "TREM 0412 1925")


@pytest.mark.parametrize(
    ("first", "second"), [("TREM 0412", "1925"), ("TREM", "0412 1925"), ("TREM0412", "1925"), ("TREM-0412-", "1925")]
)
def test_a_number_over_two_lines_of_one_cell_is_found(first: str, second: str) -> None:
    sheet = page(f"08:30|{first}|suivi", f"|{second}|annuel")
    proposal = pattern.find(sheet)[0]
    assert proposal.nam == VALUE
    assert proposal.box.height > HEIGHT
    assert proposal.visit_time == time(8, 30)


def test_a_number_over_two_centred_lines_is_found() -> None:
    first = (*words(0.04, 0.05, "1 Tremblay"), *words(0.26, 0.05, "TREM"), *words(0.5, 0.05, "vue"))
    second = (*words(0.05, 0.07, "2004"), *words(0.24, 0.07, "0412 1925"))
    sheet = Page(1, 612, 792, (Line(first), Line(second)), "text_layer")
    assert [proposal.nam for proposal in pattern.find(sheet)] == [VALUE]


def test_digits_under_letters_that_run_on_into_the_next_cell_are_found_beside_their_name() -> None:
    below = "|ne en 2004|0412 1925"
    assert only("1|Tremblay, Martin|TREM Audition Oui", below).nam == VALUE
    assert pattern.find(page("1|Lavoie, Martin|TREM Audition Oui", below)) == []


def test_the_end_of_other_words_is_no_beginning_of_a_number_over_two_lines() -> None:
    sheet = page("1|Bouchard, Ida|NAM", "1|Bouchard, Ida|TREM Hep.B Oui", "||1608 1416")
    assert pattern.find(sheet) == []


@pytest.mark.parametrize(
    "printed",
    [
        "TREMO4121925",
        "TREM 0412 I925",
        "TREM 04l2 1925",
        "TREM 0412 !925",
        "TREM 0412 192S",
        "TREM 04I2 I925",
        "TREM D4Iz 1925",
    ],
)
def test_look_alikes_among_the_digits_are_read_and_explained(printed: str) -> None:
    proposal = only(printed)
    assert proposal.nam == VALUE
    assert proposal.text == printed
    assert proposal.checks.valid
    assert (proposal.repairs[0].nam, proposal.repairs[0].reason) == (VALUE, "look_alike")


@pytest.mark.parametrize(
    ("letters", "printed"), [("ROSB", "R0SB"), ("ROSB", "RO5B"), ("ROSB", "ROS8"), ("GAZO", "6AZ0"), ("GAZO", "GA2O")]
)
def test_look_alikes_among_the_letters_are_read_and_explained(letters: str, printed: str) -> None:
    birth = date(1975, 11, 30)
    value = f"{letters}751130" + "1" + nam.check_character(letters, birth, False, "1")
    proposal = only(printed + value[4:])
    assert proposal.nam == value
    assert (proposal.repairs[0].nam, proposal.repairs[0].reason) == (value, "look_alike")


@pytest.mark.parametrize("printed", ["TRE 0412 1925", "TEM04121925", "REM 04121925", "TR6M 0412 1925"])
def test_a_lost_letter_is_restored_from_the_name_beside_it(printed: str) -> None:
    proposal = only(f"08:30|Tremblay, Martin|{printed}")
    assert (proposal.nam, proposal.text) == (VALUE, printed)
    assert [(repair.nam, repair.reason) for repair in proposal.repairs] == [(VALUE, "name_nearby")]


@pytest.mark.parametrize("row", ["08:30|TRE 0412 1925", "Lavoie, Paul|TRE 0412 1925", "Tremblay, Martin|TRE 0412 1926"])
def test_a_lost_letter_is_not_guessed(row: str) -> None:
    assert pattern.find(page(row)) == []


def test_a_typed_code_has_not_lost_a_letter() -> None:
    assert pattern.find(page("Tremblay, Martin|TRE 0412 1925", reader="text_layer")) == []


def test_a_letter_in_the_eleventh_place_is_kept() -> None:
    assert only("COTS 8005 10A4").nam == "COTS800510A4"


def test_a_letter_in_the_eleventh_place_is_a_digit_when_only_that_passes() -> None:
    value = nam.compose("Tremblay", "Martin", date(2004, 12, 19), False, "5")
    proposal = only(value[:10] + "S" + value[11])
    assert (proposal.nam, proposal.repairs[0].reason) == (value, "look_alike")


def test_a_typed_number_of_the_right_shape_is_never_replaced() -> None:
    value = nam.compose("Tremblay", "Martin", date(2004, 12, 19), False, "5")
    typed = value[:10] + "S" + value[11]
    proposal = only(f"NAM : {typed}", reader="text_layer")
    assert proposal.nam == typed
    assert value in [repair.nam for repair in proposal.repairs]


def test_a_1_among_letters_is_an_i_rather_than_an_l_and_people_choose() -> None:
    # I and L are the same to the check character, so a 1 among the letters may be either.
    value = "LAIS" + nam.compose("Lai", "S", date(1975, 11, 30), True, "1")[4:]
    proposal = only(value.replace("I", "1"))
    assert proposal.nam == value
    assert proposal.confidence < only(value).confidence
    assert value.replace("LAI", "LAL") in {repair.nam for repair in proposal.repairs}


def test_a_1_that_was_typed_among_letters_is_left_to_people() -> None:
    value = "LAIS" + nam.compose("Lai", "S", date(1975, 11, 30), True, "1")[4:]
    proposal = only(value.replace("I", "1"), reader="text_layer")
    assert not proposal.checks.format
    assert {repair.nam for repair in proposal.repairs} >= {value, value.replace("LAI", "LAL")}


def test_spaced_letters_without_a_name_count_where_numbers_of_the_page_start() -> None:
    """Hands leave spaces among letters; elsewhere the first of them may be the end of a word."""
    rows = [nam.compose(name, "Luc", date(1975, 11, 30), False, "1") for name in ("Roy", "Caron", "Dubois")]
    assert [p.nam for p in pattern.find(page(*rows, "TRE M 0412 1925"))] == [*rows, VALUE]
    assert [p.nam for p in pattern.find(page(*rows, "fait ici TRE M 0412 1925"))] == rows
    assert [p.nam for p in pattern.find(page(*rows, "TRE M 0412 1926"))] == rows


def test_a_name_nearby_decides_between_two_readings_that_pass() -> None:
    value = nam.compose("Laird", "Sam", date(1975, 11, 30), False, "1")
    assert only(f"Laird, Sam|{value.replace('I', '1')}").nam == value


@pytest.mark.parametrize(
    "rows",
    [
        ("NAM : TREM 0412 1935",),
        ("RAMQ TREM 0412 1935",),
        ("No d'assurance maladie TREM 0412 1935",),
        ("Nº ass. maladie|TREM 0412 1935",),
        ("Carte soleil : TREM 0412 1935",),
        ("Health insurance number: TREM 0412 1935",),
        ("Heure|Patient|NAM", "08:30|nouveau|TREM 0412 1935"),
        ("Tremblay, Martin|TREM 0412 1935",),
        ("Nom : Tremblay", "Prénom : Martin", "TREM 0412 1935"),
    ],
)
def test_a_failed_check_is_doubtful_but_shown_where_the_page_vouches_for_it(rows: tuple[str, ...]) -> None:
    proposal = only(*rows)
    assert proposal.nam == "TREM04121935"
    assert proposal.checks[:3] == (True, True, False)
    assert proposal.confidence < only(*(row.replace("1935", "1925") for row in rows)).confidence
    assert all(all(nam.check(repair.nam)) for repair in proposal.repairs)


@pytest.mark.parametrize(
    "rows",
    [
        ("TREM 0412 1935",),
        ("Facture FACT04121935 à payer",),
        ("Référence|Description", "COMM 0412 1935|Gants de nitrile"),
        ("NAM de la clinique : voir facture TREM 0412 1935",),
        ("Lot TREM04121935",),
        ("No de facture : TREM04121925",),
        ("Commande TREM 0412 1925",),
        ("Permis|TREM04121925",),
        ("NAM : TREM 0499 1925",),
        ("NAM : TREM 9999 9999",),
        ("NAM : ABCD12345678",),
        ("NAM : TREM 0412 1900",),
        ("514 555-0101 450 555-0102",),
        ("Permis T6541-150774-01",),
        ("H2X 1Y4 514 555-0101",),
        ("NAS 046 454 286",),
        ("Date 2025-10-03 08:30", "03-10-2025"),
        ("TREM041219251",),
        ("XTREM04121925",),
        ("TREM 0412 1925-7781",),
        ("Client nº 104121925123",),
        ("",),
    ],
)
def test_what_is_no_number_is_left_alone(rows: tuple[str, ...]) -> None:
    assert pattern.find(page(*rows)) == []


@pytest.mark.parametrize("word", ["SPÉCIMEN", "Exemple", "Example", "EXEMPLE DE CARTE"])
@pytest.mark.parametrize("shape", ["{} : NAM TREM 0412 1925", "{}\nTREMBLAY MARTIN\nTREM 0412 1925"])
def test_a_specimen_is_refused(word: str, shape: str) -> None:
    assert pattern.find(page(*shape.format(word).split("\n"))) == []


@pytest.mark.parametrize(
    "head",
    ["501, rue Fictive, Lac-Imaginaire", "CLINIQUE EXEMPLE", "CLSC de la Pointe-aux-Exemples", "Dre Ivy Fictive",
     "12 Exemple, Laval H2X 1Y4", "Animation : Mme Imaginaire, t.s.", "Employeur : Fabrique Imaginaire inc.",
     "West Fictive Island Medical", "Assureur collectif Boréal fictif - groupe 11", "De : roy@clinique.exemple",
     "www.clinique.example"],
)  # fmt: skip
def test_what_invented_places_and_people_are_called_makes_no_specimen(head: str) -> None:
    assert only(head, "TREMBLAY MARTIN", "NAM TREM 0412 1925").nam == VALUE


@pytest.mark.parametrize(
    "head", ["Numéro fictif", "Contre-exemple", "Carte-exemple", "Patient fictif", "Fictif", "Patient (fictif)",
             "Cette carte est fictive"]
)  # fmt: skip
def test_an_invented_number_is_one_whatever_stands_around_it(head: str) -> None:
    assert pattern.find(page(head, "TREM 0412 1925")) == []


@pytest.mark.parametrize("row", ["NAM : Trem 0412 1925", "Tremblay, Martin|Trem 0412 1925"])
def test_a_number_may_be_written_as_a_given_name_is(row: str) -> None:
    assert only(row).nam == VALUE


@pytest.mark.parametrize("row", ["Trem 0412 1925", "NAM : Trem 0412 1926", "Roy, Luc|Trem 0412 1925"])
def test_a_given_name_before_digits_needs_a_label_or_name_and_all_checks(row: str) -> None:
    assert pattern.find(page(row)) == []


def test_a_space_behind_a_capital_parts_no_name_that_a_hand_wrote() -> None:
    assert only("Tremblay, M artin|TREM 0412 1925").checks.name is True


@pytest.mark.parametrize("printed", ["T.REM 0412 1925", "TRE·M-0412-1925", "TR:EM 04121925"])
def test_a_speck_among_the_letters_needs_the_name_and_all_checks(printed: str) -> None:
    assert only(f"Tremblay, Martin|{printed}").nam == VALUE
    assert pattern.find(page(f"NAM {printed}")) == []
    assert pattern.find(page(f"Tremblay, Martin|{printed[:-1]}6")) == []


def test_a_slash_among_the_letters_is_a_leaning_i_but_not_where_it_was_typed() -> None:
    assert only("NAM : VE/H 8106 1613").nam == "VEIH81061613"
    assert pattern.find(page("VE/H 8106 1613", reader="text_layer")) == []


def test_a_small_l_behind_a_capital_is_no_capital_i() -> None:
    assert only("Ulysse, Mélanie|NAM Ulym 6957 1425").nam == "ULYM69571425"


def test_a_stamp_on_the_whole_page_is_no_specimen() -> None:
    assert only("SPÉCIMEN – données fictives", "NAM : TREM 0412 1925").nam == VALUE


def test_who_types_misreads_no_digit_of_a_staff_number() -> None:
    rows = ("Employé|Matricule", *("Roy, Luc|8h-16h",) * 6, "Tremblay, Mohamed|TREM 0988 2352")
    assert pattern.find(page(*rows, reader="text_layer")) == []


def test_bars_of_a_file_are_no_letters() -> None:
    assert pattern.find(page("PV1|1|O||||96832332|||", reader="text_layer")) == []
    lone = Line(tuple(words(0.1, 0.1, "PV1 ||||96832332")))
    assert pattern.find(Page(1, 612, 792, (lone,), "text_layer")) == []


def test_a_file_number_that_is_a_number_is_found() -> None:
    assert only("Dossier : TREM 0412 1925").nam == VALUE


def test_a_decoy_label_gives_way_to_the_name() -> None:
    assert only("Facture de Tremblay, Martin TREM 0412 1925").checks.name is True


@pytest.mark.parametrize(
    "rows",
    [
        ("Tremblay, Martin|TREM 0412 1925",),
        ("TREMBLAY Martin|TREM 0412 1925",),
        ("TREMBLAY MARTIN|TREM 0412 1925",),
        ("Martin Tremblay|TREM 0412 1925",),
        ("Martin J. Tremblay-Roy|TREM 0412 1925",),
        ("08:30|Tremblay|Martin|TREM 0412 1925",),
        ("Nom : Tremblay", "Prénom : Martin", "NAM : TREM 0412 1925"),
        ("Nom à la naissance|Prénom", "Tremblay|Martin", "NAM", "TREM 0412 1925"),
        ("TREM 0412 1925", "Tremblay, Martin"),
        ("Mme Roy (née Tremblay), Marie|TREM 0412 1925",),
    ],
)
def test_a_name_that_matches_is_noticed(rows: tuple[str, ...]) -> None:
    assert only(*rows).checks.name is True


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Saint-Pierre, Éric", "STPE"), ("De La Rue, Ana", "DELA"), ("Li, Wei", "LIXW"), ("O'Neil, Zoé", "ONEZ")],
)
def test_names_with_particles_and_accents_match(name: str, letters: str) -> None:
    value = f"{letters}7511301" + nam.check_character(letters, date(1975, 11, 30), False, "1")
    assert only(f"{name}|{value}").checks.name is True


@pytest.mark.parametrize(
    "rows",
    [
        ("Gagnon, Louise|TREM 0412 1925",),
        ("GAGNON Louise|TREM 0412 1925",),
        ("Nom : Gagnon", "Prénom : Louise", "NAM : TREM 0412 1925"),
    ],
)
def test_another_persons_name_is_noticed(rows: tuple[str, ...]) -> None:
    assert only(*rows).checks.name is False


@pytest.mark.parametrize(
    "row", ["TREM 0412 1925", "08:30|TREM 0412 1925|Suivi diabète", "Dr Gagnon, Louise|TREM 0412 1925"]
)
def test_no_patient_name_is_neither_right_nor_wrong(row: str) -> None:
    assert only(row).checks.name is None


def test_a_name_in_a_row_of_its_own_number_is_not_borrowed() -> None:
    found = pattern.find(page("Tremblay, Martin|COTS 8005 10A4", "Roy, Anne|TREM 0412 1925"))
    assert [proposal.checks.name for proposal in found] == [False, False]


def test_letters_are_restored_from_a_name_nearby_as_a_suggestion() -> None:
    value = nam.compose("Laird", "Sam", date(1975, 11, 30), False, "1")
    proposal = only(f"Laird, Sam|{value.replace('LAI', 'LAL')}")
    assert proposal.nam == value.replace("LAI", "LAL")
    assert (proposal.repairs[0].nam, proposal.repairs[0].reason) == (value, "name_nearby")


def test_a_misread_digit_under_a_label_is_shown_with_its_repair() -> None:
    proposal = only("Tremblay, Martin|NAM : TREM 0472 1925")
    assert proposal.nam == "TREM04721925"
    assert VALUE in [repair.nam for repair in proposal.repairs]


def test_an_impossible_date_is_shown_where_both_label_and_name_vouch_for_it() -> None:
    proposal = only("Tremblay, Martin|NAM : TREM 0412 3925")
    assert proposal.nam == "TREM04123925"
    assert proposal.checks.birth_date is False


def test_a_label_is_not_taken_for_a_name() -> None:
    assert pattern.find(page("Facture Thérèse FACT04121935 à payer")) == []


def test_the_same_number_at_two_places_is_two_proposals() -> None:
    found = pattern.find(page("NAM : TREM 0412 1925", "", "", "Copie : TREM 0412 1925"))
    assert [proposal.nam for proposal in found] == [VALUE, VALUE]
    assert found[0].box != found[1].box


def test_proposals_come_in_reading_order_with_page_and_visit() -> None:
    found = pattern.find(
        page(
            "Agenda du vendredi 3 octobre 2025",
            "Heure|Patient|NAM",
            "08:30|Tremblay, Martin|TREM 0412 1925",
            "8 h 45|Cotsu, Serge|COTS 8005 10A4",
        )
    )
    assert [(p.nam, p.page, p.visit_date, p.visit_time) for p in found] == [
        (VALUE, 1, date(2025, 10, 3), time(8, 30)),
        ("COTS800510A4", 1, date(2025, 10, 3), time(8, 45)),
    ]


def test_doubtful_proposals_come_first_by_confidence() -> None:
    failed = [only(row).confidence for row in ("NAM : TREM 0412 1935", "Tremblay, Martin|TREM 0412 1935")]
    other_name = only("Roy, Anne|TREM 0412 1925").confidence
    plain, sure = only("TREM 0412 1925").confidence, only("Tremblay, Martin|TREM 0412 1925").confidence
    assert max(*failed, other_name) < plain < sure
    assert plain > 0.98


def test_an_uncertain_reading_is_less_sure() -> None:
    assert only("TREM 0412 1925", confidence=0.4).confidence < only("TREM 0412 1925").confidence


@settings(max_examples=60, deadline=None)
@given(
    surname=st.sampled_from(["Tremblay", "Côté", "Saint-Pierre", "O'Neil", "Li", "Lévesque"]),
    given_name=st.sampled_from(["Martin", "Éric", "Zoé", "Ursule"]),
    birth=st.dates(date(1920, 1, 1), date(2025, 1, 1)),
    female=st.booleans(),
    sequence=st.sampled_from(nam.SEQUENCE_CHARACTERS),
    separator=st.sampled_from(["", " ", "-"]),
)
def test_every_composed_number_is_found(
    *, surname: str, given_name: str, birth: date, female: bool, sequence: str, separator: str
) -> None:
    value = nam.compose(surname, given_name, birth, female, sequence)
    proposal = only(f"{surname}, {given_name}|{separator.join(nam.grouped(value).split())}")
    assert proposal.nam == value
    assert (proposal.checks.valid, proposal.checks.name) == (True, True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=6))
def test_no_text_makes_the_finder_raise(rows: list[str]) -> None:
    for proposal in pattern.find(page(*rows)):
        assert len(proposal.nam) == nam.LENGTH


def test_a_page_of_an_agenda_takes_milliseconds() -> None:
    rows = [
        f"{8 + i // 4}:{i % 4 * 15:02d}|Tremblay, Martin|{'TREM 0412 1925' if i % 5 == 0 else ''}|Suivi"
        for i in range(40)
    ]
    sheet = page("Agenda du vendredi 3 octobre 2025", *rows)
    pattern.find(sheet)
    started = clock.process_time()
    for _ in range(5):
        pattern.find(sheet)
    # Ten times the time it takes on an idle machine: this catches a search that has become quadratic, nothing finer.
    assert (clock.process_time() - started) / 5 < 0.05


def test_a_birth_date_on_the_page_speaks_for_a_number_that_its_company_refuses() -> None:
    codes = ["BRIK 4471 2093", "WORF 1180 5522", "PLUM 6094 3311"]
    assert pattern.find(page(*codes, VALUE)) == []
    assert [p.nam for p in pattern.find(page(*codes, VALUE, "Date de naissance : 2004-12-19"))] == [VALUE]


def test_what_stands_for_any_number_is_none() -> None:
    assert (
        pattern.find(page("NAM : AAAA 9999 9999", "", "NAM : X X X X 0 0 0 0 0 0 0 0", "", "NAM : ABCD 1234 5678"))
        == []
    )


@pytest.mark.parametrize("printed", ["TRE M04121925", "T REM 0412 1925", "TR EM-0412-1925", "TREM 0412 192 5"])
def test_a_space_that_a_hand_leaves_is_no_end_where_the_page_asks_for_a_number(printed: str) -> None:
    assert only(f"NAM : {printed}").nam == VALUE
    assert printed.startswith("TREM") or pattern.find(page(printed)) == []


def test_a_bracket_is_read_as_the_letter_that_it_looks_like() -> None:
    value = nam.compose("Roy", "Jean", date(1940, 4, 4), True, "1")
    assert only(f"NAM : ROY] {value[4:8]} {value[8:]}").nam == value


def test_an_l_among_capitals_is_an_i_that_a_name_may_still_make_an_l() -> None:
    value = nam.compose("Ouellet", "Isabelle", date(1960, 5, 10), False, "1")
    printed = f"OUEl {value[4:8]} {value[8:]}"
    assert only(f"NAM : {printed}").nam == value
    assert only(f"Ouellet, Louis|NAM : {printed}").nam == f"OUEL{value[4:]}"


def test_a_claim_that_begins_with_the_day_of_a_service_is_nobodys_number() -> None:
    right = nam.check_character("FACT", date(2026, 3, 12), False, "1")
    claims = [f"FACT2603121{(int(right) + shift) % 10}" for shift in range(5)]
    rows = [f"{claim}|{owner}|2026-03-12" for claim, owner in zip(claims, [VALUE, *[""] * 4], strict=True)]
    sheet = page("Demande|NAM du patient|Date du service", *rows, "Naissance : 2004-12-19")
    assert [proposal.nam for proposal in pattern.find(sheet)] == [VALUE]


def test_a_surname_before_a_number_is_no_caption_of_it() -> None:
    """The given name was read without its capital, so that no full name is seen."""
    assert only("9 martin Tremblay TREm 0412 1925").nam == VALUE


def test_hands_begin_a_number_anywhere_under_its_head() -> None:
    """The second number holds only if a zero is an O, with a cut that nobody prints: the page must call it a NAM."""
    value = nam.compose("Boudreau", "Odette", date(1985, 12, 16), True, "6")
    rows = ("Heure|NAM|TA", f"8 h|  {VALUE}|113/65", f"8 h 20|BOU0 {value[4:7]} {value[7:]}|148/74")
    assert [proposal.nam for proposal in pattern.find(page(*rows))] == [VALUE, value]
