"""What the page says around a number: what it calls it, whose name stands there, and what is only an example."""

from __future__ import annotations

from datetime import date

import pytest

from extraction import nam
from extraction.finders import pattern
from extraction.finders.context import Span, Surroundings
from extraction.finders.names import Names, names_in
from extraction.layout import Layout, plain
from extraction.page import Box, Line, Page
from tests.unit.paper import box_of, page, words

TREMBLAY = "TREM04621929"  # Tremblay, Marie, born 2004-12-19; its check character holds
OTHER = "ROYA85051215"
IDLE = "ABCD12345678"  # of a NAM's shape, with no possible date


def around(sheet: Page, *numbers: str) -> tuple[Surroundings, list[Span]]:
    """What stands around these numbers of a page."""
    layout = Layout.of(sheet)
    spans = []
    for number in numbers:
        start = layout.plain.index(number)
        spans.append(Span(start, start + len(number), layout.box(start, start + len(number))))
    return Surroundings.of(layout, spans), spans


def label(*rows: str, number: str = TREMBLAY) -> str:
    surroundings, [span] = around(page(*rows), number)
    return surroundings.label(span)


def match(*rows: str, number: str = TREMBLAY) -> bool | None:
    surroundings, [span] = around(page(*rows), number)
    return surroundings.names(span).match(number[:4])


def is_specimen(*rows: str, number: str = TREMBLAY) -> bool:
    surroundings, [span] = around(page(*rows), number)
    return surroundings.is_specimen(span)


def test_the_number_of_these_tests_is_a_nam() -> None:
    assert all(nam.check(TREMBLAY))


# What the page calls a number


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ((f"NAM : {TREMBLAY}",), "nam"),
        ((f"RAM0 {TREMBLAY}",), "nam"),
        ((f"Nº d'assurance ma1adie : {TREMBLAY}",), "nam"),
        ((f"Health card number|{TREMBLAY}",), "nam"),
        ((f"Facture no {TREMBLAY}",), "decoy"),
        ((f"Votre commande du fournisseur no {TREMBLAY}",), "decoy"),
        ((f"Tracking number: {TREMBLAY}",), "decoy"),
        ((f"Police|{TREMBLAY}",), "decoy"),
        ((f"Dossier {TREMBLAY}",), "file"),
        ((f"{TREMBLAY}",), ""),
    ],
)
def test_the_label_on_the_left_names_a_number(rows: tuple[str, ...], kind: str) -> None:
    assert label(*rows) == kind


def test_a_label_with_a_value_of_its_own_names_nothing_further_on() -> None:
    assert label(f"Dre Anne Roy, permis 12345 {TREMBLAY}") == ""
    assert label(f"Échantillon : sang|{TREMBLAY}") == ""
    assert label(f"Facture remise hier matin au comptoir par {TREMBLAY}") == ""


def test_a_caption_of_another_kind_needs_a_name_to_be_overruled() -> None:
    assert label(f"Bracelet : {TREMBLAY}") == label(f"Analyseur {TREMBLAY}") == "other"
    assert label(f"Bénéficiaire : {TREMBLAY}") == label(f"Tremblay, Marie : {TREMBLAY}") == ""
    assert pattern.find(page(f"Bracelet : {TREMBLAY}")) == []
    assert [p.nam for p in pattern.find(page(f"Tremblay, Marie|Bracelet : {TREMBLAY}"))] == [TREMBLAY]


def test_a_head_names_what_is_in_line_with_its_first_number() -> None:
    for row, kind in ((f"pli no un {TREMBLAY}", ""), (TREMBLAY, "nam")):
        surroundings, spans = around(page("Numéro d'assurance maladie|Expiration", OTHER, row), OTHER, TREMBLAY)
        assert surroundings._printed_label(spans[-1]) == kind


def test_running_text_heads_no_column() -> None:
    assert label("Présentez votre carte d'assurance maladie à chaque visite, merci", TREMBLAY) == ""


def test_numbers_in_a_list_share_their_label() -> None:
    surroundings, spans = around(page(f"Factures {OTHER} et {TREMBLAY}"), OTHER, TREMBLAY)
    assert [surroundings.label(span) for span in spans] == ["decoy", "decoy"]
    assert label(f"Lots {IDLE} et {TREMBLAY}") == "decoy"


def test_the_remark_behind_a_number_names_it() -> None:
    assert label(f"{TREMBLAY} (no de facture)") == "decoy"
    assert label(f"{TREMBLAY} (RAMQ)") == "nam"


def test_the_caption_under_the_line_of_a_form_names_what_is_written_on_it() -> None:
    assert label(f"{TREMBLAY}|1985-05-12", "Numéro d'assurance maladie|Naissance") == "nam"


def test_a_head_of_a_column_below_a_number_does_not_name_it() -> None:
    sheet = page(TREMBLAY, "NAM|Nom", f"{OTHER}|Roy, Anne")
    surroundings, spans = around(sheet, TREMBLAY, OTHER)
    assert [surroundings.label(span) for span in spans] == ["", "nam"]


def test_the_head_of_a_column_names_what_stands_under_it() -> None:
    rows = ["Référence|Description", *[f"{i}|article" for i in range(9)], f"{TREMBLAY}|gants"]
    assert label(*rows) == "decoy"


def test_the_title_of_a_page_heads_no_column() -> None:
    assert label("Requête de laboratoire", "", "", "Le 3 octobre", "", "", TREMBLAY) == ""
    assert label("Compte rendu", TREMBLAY) == ""


def test_a_head_of_a_column_says_nothing_of_running_text() -> None:
    assert label("Facture|Montant", "une ligne", f"vu en consultation ce matin, {TREMBLAY} 40 ans") == ""


# Codes


@pytest.mark.parametrize("letters", ["FACT", "LABO", "ORDR", "INVC", "DOSS"])
def test_what_begins_as_systems_begin_their_codes_is_a_code(letters: str) -> None:
    assert label(f"{letters}04621927", number=f"{letters}04621927") == "decoy"


def test_a_label_or_a_name_tells_a_person_from_a_code() -> None:
    value = nam.compose("Labonté", "Odile", date(1985, 5, 12), female=True, sequence="2")
    assert label(f"NAM {value}", number=value) == "nam"
    assert [p.nam for p in pattern.find(page(f"LABONTÉ, Odile|{value}"))] == [value]
    assert pattern.find(page(value)) == []


def test_numbers_in_series_are_codes() -> None:
    codes = [f"BIO{letter} 4471 209{digit}" for letter, digit in zip("MMXM", "1358", strict=True)]
    surroundings, spans = around(page(*codes), *codes)
    assert {surroundings.label(span) for span in spans} == {"code"}


def test_people_of_one_name_are_no_series() -> None:
    family = [
        nam.compose("Roy", given, date(1985, 5, 12), female=True, sequence="1") for given in ("Anne", "Julie", "Eva")
    ]
    surroundings, spans = around(page(*family), *family)
    assert {surroundings.label(span) for span in spans} == {"nam"}


def test_a_column_that_mostly_fails_is_of_codes_whatever_else_the_page_holds() -> None:
    rows = [f"{code}|article|{TREMBLAY}" for code in ("KRIB-4471-2093", "WORF-1180-5522", "PLUM-6094-3311")]
    held = nam.grouped(OTHER).replace(" ", "-")
    assert all(nam.check(OTHER)), "by chance"
    assert OTHER not in {p.nam for p in pattern.find(page(*rows, f"{held}|article|{TREMBLAY}"))}


def test_a_code_built_from_the_name_beside_it_is_none() -> None:
    rows = [
        f"{name}|Doss. {code}" for name, code in (("Zoé Poirier", "POIZ-9011-2238"), ("Paule Xu", "XUXP-9011-2274"))
    ]
    assert pattern.find(page(*rows, "Luc Lavoie|Doss. LAVL-9011-2353")) == []


def test_a_number_that_no_name_gives_beside_one_that_the_name_gives_is_none() -> None:
    assert [p.nam for p in pattern.find(page(f"{OTHER}|Tremblay, Marie|{TREMBLAY}"))] == [TREMBLAY]


def test_among_numbers_that_hold_no_date_the_one_that_does_is_chance() -> None:
    codes = ["QXAB99887766", "WDFG12349999", "HJKL77665544", "ZXCV13576824"]
    assert pattern.find(page(*codes, TREMBLAY)) == []
    assert [p.nam for p in pattern.find(page(*codes, f"Tremblay, Marie|{TREMBLAY}"))] == [TREMBLAY]


# Examples


@pytest.mark.parametrize(
    "word",
    ["SPÉCIMEN", "SPEClMEN", "SPÉCI MEN", "5PECIMEN", "SPEC1MEN", "S P É C I M E N", "EXEMP1E", "Modèle (fictif)"],
)
def test_a_number_under_a_misread_specimen_is_none(word: str) -> None:
    assert is_specimen(word, "RÉGIE DE L'ASSURANCE MALADIE", TREMBLAY)


@pytest.mark.parametrize(
    "rows",
    [
        (f"Specimen: urine|NAM {TREMBLAY}",),
        ("Specimen collected 2025-10-03", TREMBLAY),
        ("Type de spécimen|sang", TREMBLAY),
        (f"Sample ID 4512 {TREMBLAY}",),
    ],
)
def test_what_a_laboratory_analyses_is_no_example(rows: tuple[str, ...]) -> None:
    assert not is_specimen(*rows)


def test_a_specimen_with_the_number_as_its_value_is_an_example() -> None:
    assert is_specimen(f"SPÉCIMEN : {TREMBLAY}")
    assert is_specimen(f"SPÉCIMEN : NAM {TREMBLAY}")
    assert is_specimen(f"Exemple : {TREMBLAY}")


def test_a_title_centred_over_a_card_may_start_behind_the_number() -> None:
    number = page("", TREMBLAY)
    beside = box_of(number, TREMBLAY).x1 + 0.02
    sheet = Page(1, 612, 792, (Line(tuple(words(beside, 0.05, "Spécimen"))), *number.lines), "local")
    surroundings, [span] = around(sheet, TREMBLAY)
    assert surroundings.is_specimen(span)


@pytest.mark.parametrize(
    "rows",
    [
        (f"{TREMBLAY} (fictif)",),
        (f"Health insurance no.: {TREMBLAY} - for illustration",),
        ("Exemples", "DOE, Jane|1998-06-25|DOEJ 9856 2551", f"TREMBLAY, Marie|2004-12-19|{TREMBLAY}"),
        (TREMBLAY, "MARIE TREMBLAY", "Expiration 2027 SAMPLE"),
        (f"Entrez douze caractères, tel que {TREMBLAY}, puis appuyez.",),
        ("Prenons Marie Tremblay, née en 2004 :", TREMBLAY),
        (f"The card of John Doe reads {TREMBLAY}",),
        ("À faire|À éviter", f"{TREMBLAY}|TREM0462192"),
        (f"Le dossier d'essai de Marie Tremblay ({TREMBLAY})",),
    ],
)
def test_a_page_has_many_ways_to_call_a_number_an_example(rows: tuple[str, ...]) -> None:
    assert is_specimen(*rows)


@pytest.mark.parametrize(
    "rows",
    [
        (f"TREMBLAY, Marie|{TREMBLAY}", "", "", "", f"Exemple : {OTHER}"),
        (f"TREMBLAY, Marie|{TREMBLAY}", f"Format : {OTHER}"),
        (f"Exemple : {OTHER}", f"TREMBLAY, Marie|{TREMBLAY}"),
        (f"Tel que convenu, Mme Tremblay ({TREMBLAY}) sera revue.",),
    ],
)
def test_an_example_is_nobody_elses_number(rows: tuple[str, ...]) -> None:
    sheet = page(*rows)
    numbers = [TREMBLAY, OTHER] if any(OTHER in row for row in rows) else [TREMBLAY]
    surroundings, spans = around(sheet, *numbers)
    assert [surroundings.is_specimen(span) for span in spans] == [False, True][: len(numbers)]


def test_where_nearly_all_numbers_are_examples_the_others_are_too() -> None:
    shown = [f"Exemple : {value}" for value in (OTHER, "ROYA85051224", "ROYA85051232")]
    rows = [*shown, "", "", "", "", "", "", "", "", "Demandez la carte à la réception.", TREMBLAY]
    surroundings, spans = around(page(*rows), OTHER, "ROYA85051224", "ROYA85051232", TREMBLAY)
    assert surroundings.is_specimen(spans[-1])


def test_a_number_that_is_typed_in_three_ways_is_shown_and_not_meant() -> None:
    ways = [TREMBLAY, nam.grouped(TREMBLAY), f"{TREMBLAY[:4]} {TREMBLAY[4:]}"]
    assert pattern.find(page(*ways, reader="text_layer")) == []
    assert len(pattern.find(page(*ways[:2], reader="text_layer"))) == 2


# Names


@pytest.mark.parametrize(
    "written",
    [
        "Tremblay, Marie",
        "TREMBLAY Marie",
        "Marie Tremblay",
        "TREMBLAY,Marie",
        "TremblayMarie",
        "TREMBLAYMarie",
        "Tremblay.Marie",
        "Tremblay-Roy, Marie-Ève",
        "Suivi annuel Tremblay, Marie",
        "Gagnon Tremblay, Marie",
        "Marie Gagnon née Tremblay",
        "GAGNON (née TREMBLAY), Marie",
        "Mme Marie Josée Tremblay",
    ],
)
def test_a_name_is_found_however_it_is_written(written: str) -> None:
    assert match(f"{written}|{TREMBLAY}") is True
    assert match(f"{TREMBLAY}|{written}") is True


@pytest.mark.parametrize(
    ("written", "letters"),
    [
        ("R0Y-CARON, Anne", "ROYA"),
        ("M0RIN, Anne", "MORA"),
        ("0UELLET, Anne", "OUEA"),
        ("B1AIS, Anne", "BLAA"),
        ("Roy, lsabelle", "ROYI"),
        ("Ieblanc, Anne", "LEBA"),
        ("8ERGERON, Anne", "BERA"),
        ("Saint-Pierre, Luc", "STPL"),
        ("STE-MARIE Luc", "STML"),
        ("St. Onge, Luc", "STOL"),
        ("L'Écuyer, Zoé", "LECZ"),
        ("de la Rue, Zoé", "DELZ"),
        ("Li, Wei", "LIXW"),
        ("Labonté, Odile", "LABO"),
        ("McKenzie, Anne", "MCKA"),
        ("ste-Croix, lsmaël", "STCI"),
        ("d'Amours, Anne", "DAMA"),
        ("xU, Maëlle", "XUXM"),
        ("zéphirin-L'Heureux, André", "ZEPA"),
    ],
)
def test_the_letters_of_a_name_survive_a_slip_of_the_reader(written: str, letters: str) -> None:
    parts, sure = names_in(plain(written))
    assert letters in sure
    assert Names(tuple(parts), frozenset(sure)).match(letters) is True


@pytest.mark.parametrize(
    "rows",
    [
        ("Nom : Tremblay|Prénom : Marie", TREMBLAY),
        ("Nom : Tremblay", "Prénom : Marie", TREMBLAY),
        ("Nom|Prénom", "Tremblay|Marie", TREMBLAY),
        ("Nom|TREMBLAY", "Prénom|MARIE", TREMBLAY),
        ("Nom : TREMBLAY", TREMBLAY, "Prénom : MARIE"),
        ("Last name: TREMBLAY|First name: MARIE", TREMBLAY),
        ("Nom|Prénom", "T R E M B L A Y|M A R I E", TREMBLAY),
    ],
)
def test_captions_tell_surname_and_given_name_apart(rows: tuple[str, ...]) -> None:
    surroundings, [span] = around(page(*rows), TREMBLAY)
    assert "TREM" in surroundings.names(span).sure


def test_another_surname_speaks_against_a_number_but_refuses_none() -> None:
    [proposal] = pattern.find(page(f"Gagnon, Marie|{TREMBLAY}"))
    assert proposal.checks.name is False


def test_without_a_name_nothing_is_said() -> None:
    assert match(f"08:30|{TREMBLAY}|514 555-0123") is None


def test_a_place_without_words_has_surroundings_too() -> None:
    layout = Layout.of(page(f"Tremblay, Marie|{TREMBLAY}"))
    span = Span.inside(layout, Box(0.8, 0.8, 0.9, 0.82))
    surroundings = Surroundings.of(layout, [span])
    assert (surroundings.label(span), surroundings.is_specimen(span)) == ("", False)
    assert surroundings.names(span).match("TREM") is True


def test_the_name_of_the_next_number_is_not_this_ones() -> None:
    sheet = page("Tremblay, Marie|Roy, Anne", f"{OTHER}|{TREMBLAY}")
    surroundings, spans = around(sheet, OTHER, TREMBLAY)
    assert [surroundings.names(spans[0]).match("ROYA"), surroundings.names(spans[1]).match("TREM")] == [False, False]


def test_a_number_that_is_printed_twice_has_one_name() -> None:
    sheet = page(f"Tremblay, Marie|{TREMBLAY}", f"NAM|{TREMBLAY[:4]} {TREMBLAY[4:8]} {TREMBLAY[8:]}")
    assert [p.checks.name for p in pattern.find(sheet)] == [True, True]


def test_a_number_that_is_broken_over_lines_has_the_name_between_them() -> None:
    rows = ["Gagnon, Luc|GAGL 8505 1215", "", "|TREM", "Tremblay, Marie|", "|0462", "|1929"]
    layout = Layout.of(page(*rows, spacing=0.013))
    box = box_of(layout.page, "TREM").union(box_of(layout.page, "1929"))
    start = layout.plain.index("TREM")
    span = Span(start, start + 4, box)
    assert Surroundings.of(layout, [span]).names(span).sure == {"TREM"}


def test_a_surname_in_small_letters_that_lost_its_space_is_found() -> None:
    assert match("15:55|lyIsmaël|LYXI11051668", number="LYXI11051668") is True


def test_words_full_of_look_alikes_are_read_in_no_time() -> None:
    assert names_in("A1B1C1D1E1F1G1H1I1J1K1L1M1N1O1P1Q1R1S1T1U1V1W1X1Y1Z, Anne")


# Whole pages


def test_a_labelled_decoy_needs_name_and_check() -> None:
    assert pattern.find(page(f"Facture {TREMBLAY}")) == []
    assert pattern.find(page(f"Facture {TREMBLAY}", "Gagnon, Marie")) == []
    assert [p.nam for p in pattern.find(page(f"Facture {TREMBLAY}|Tremblay, Marie"))] == [TREMBLAY]
    wrong = TREMBLAY[:11] + "0"
    assert pattern.find(page(f"Facture {wrong}|Tremblay, Marie")) == []


def test_where_most_numbers_of_a_shape_are_no_nams_one_that_holds_is_chance() -> None:
    codes = ["BRIK 4471 2093", "WORF 1180 5522", "PLUM 6094 3311"]
    assert pattern.find(page(*codes, TREMBLAY)) == []


def test_numbers_without_names_that_nearly_all_hold_are_nams() -> None:
    held = ["TREM 0412 1925", "TREM 0412 1916", "BRIK 4471 2093"]
    assert [p.nam for p in pattern.find(page(*held))] == ["TREM04121925", "TREM04121916"]


def test_a_name_vouches_for_a_number_among_codes() -> None:
    codes = ["BRIK 4471 2093", "WORF 1180 5522", "PLUM 6094 3311"]
    assert [p.nam for p in pattern.find(page(*codes, f"Tremblay, Marie|{TREMBLAY}"))] == [TREMBLAY]
