"""A long page in parts: nothing is lost between them, nothing counts twice, and cuts are where blocks end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extraction.finders.parts import excerpts, parts
from extraction.layout import Layout
from extraction.llm import prompts
from extraction.page import Box, Line, Page, Word
from tests.unit.paper import page_of


def rows(*tops: float) -> Page:
    """A row of twenty characters at each of these heights."""
    boxes = [Box(0.1, top, 0.5, top + 0.008) for top in tops]
    lines = [Line((Word(f"row{number:05}-012345678", box, 1.0),)) for number, box in enumerate(boxes)]
    return Page(1, 612, 792, tuple(lines), "test")


def texts(page: Page) -> list[str]:
    return prompts.render(page).split("\n")


def test_a_short_page_is_one_part() -> None:
    page = page_of("un", "deux")
    assert [part.page for part in parts(Layout.of(page), 100)] == [page]


@given(st.integers(2, 90), st.integers(20, 400))
def test_every_row_is_owned_by_one_part_that_shows_it(count: int, longest: int) -> None:
    layout = Layout.of(rows(*(0.01 * number for number in range(count))))
    made = parts(layout, longest)
    for word in layout.words:
        owners = [part for part in made if part.owns(word.box)]
        assert len(owners) == 1
        assert word.text in texts(owners[0].page)


@given(st.integers(2, 90), st.integers(60, 400))
def test_a_part_owns_no_more_than_it_may(count: int, longest: int) -> None:
    layout = Layout.of(rows(*(0.01 * number for number in range(count))))
    for part in parts(layout, longest):
        assert sum(len(word.text) + 1 for word in layout.words if part.owns(word.box)) <= longest + 1


def test_a_cut_is_made_where_a_block_ends() -> None:
    layout = Layout.of(rows(*(0.01 * n for n in range(8)), *(0.1 + 0.01 * n for n in range(8))))
    first, second = parts(layout, 220)
    assert sum(first.owns(word.box) for word in layout.words) == 8
    assert sum(second.owns(word.box) for word in layout.words) == 8


def test_every_part_begins_with_the_heading_of_the_page() -> None:
    layout = Layout.of(rows(*(0.01 * number for number in range(60))))
    made = parts(layout, 300)
    assert len(made) > 3
    assert all(texts(part.page)[0] == "row00000-012345678" for part in made)


def test_a_part_shows_the_rows_around_its_own() -> None:
    layout = Layout.of(rows(*(0.01 * number for number in range(60))))
    second = parts(layout, 300)[1]
    own = [word.text for word in layout.words if second.owns(word.box)]
    shown = texts(second.page)
    assert (
        shown[shown.index(own[0]) - 1]
        == layout.words[layout.words.index(next(w for w in layout.words if w.text == own[0])) - 1].text
    )
    assert len(shown) - 1 - shown.index(own[-1]) == 1


def test_a_row_that_is_longer_than_a_part_may_be_is_asked_about_all_the_same() -> None:
    page = page_of("x" * 500, "y" * 500)
    assert len(parts(Layout.of(page), 100)) == 2


NUMBERS = ("TREM 0412 1925", "BELF 8556 2314")
"""Published examples, which are nobody's."""


def test_the_heading_ends_above_the_first_number() -> None:
    page = page_of("Registre", f"8 h {NUMBERS[0]}", *(f"9 h {NUMBERS[1]}" for _ in range(12)))
    second = parts(Layout.of(page), 60)[1]
    assert texts(second.page)[0] == "Registre"
    assert not any(NUMBERS[0] in text for text in texts(second.page))


def test_a_row_of_another_part_that_holds_a_whole_number_is_not_shown() -> None:
    page = page_of("Registre", *(f"{hour} h {NUMBERS[hour % 2]}" for hour in range(8, 20)))
    for part in parts(Layout.of(page), 60):
        own = [word for word in Layout.of(page).words if part.owns(word.box)]
        assert sum(text.count("h") for text in texts(part.page)) == sum(word.text == "h" for word in own)


def test_a_part_begins_with_the_day_that_stands_above_it() -> None:
    days = ("lundi 6 octobre 2025", "mardi 7 octobre 2025")
    rows_of_a_day = [f"9 h {NUMBERS[0]}"] * 9
    page = page_of("Présences", days[0], *rows_of_a_day, days[1], *rows_of_a_day)
    last = texts(parts(Layout.of(page), 60)[-1].page)
    assert last[:2] == ["Présences", days[1]]
    assert set(last[2:]) == set(rows_of_a_day)


def test_a_part_ends_where_the_next_day_begins_and_does_not_show_it() -> None:
    days = ("lundi 6 octobre 2025", "mardi 7 octobre 2025")
    page = page_of("Présences", days[0], *[f"9 h {NUMBERS[0]}"] * 5, days[1], *[f"8 h {NUMBERS[1]}"] * 5)
    first, second = parts(Layout.of(page), 130)
    assert texts(first.page) == ["Présences", days[0], *[f"9 h {NUMBERS[0]}"] * 5]
    assert texts(second.page) == ["Présences", days[1], *[f"8 h {NUMBERS[1]}"] * 5]


def test_a_form_that_is_printed_again_on_the_page_has_its_own_heading() -> None:
    forms = [["Congé", f"Date : {day} octobre 2025", "Prose.", NUMBERS[day % 2], "Fin."] for day in (6, 7)]
    page = page_of(*forms[0], *forms[1])
    first, second = parts(Layout.of(page), 60)
    assert [texts(first.page), texts(second.page)] == forms


def test_a_weekday_before_a_date_is_no_number() -> None:
    page = page_of("Liste", "Visites : vendredi 2025-10-31", *[f"9 h {NUMBERS[0]}"] * 9)
    assert texts(parts(Layout.of(page), 60)[-1].page)[:2] == ["Liste", "Visites : vendredi 2025-10-31"]


def test_an_excerpt_shows_a_number_with_its_block_and_none_of_the_others() -> None:
    page = page_of("Clinique", "6 octobre 2025", NUMBERS[0], "8 h 15", "Anne Roy", NUMBERS[1], "9 h", NUMBERS[0])
    (excerpt,) = excerpts(Layout.of(page), [5], 300)
    assert texts(excerpt.page) == ["Clinique", "6 octobre 2025", "8 h 15", "Anne Roy", NUMBERS[1], "9 h"]


def test_many_excerpts_are_asked_about_in_as_many_questions_as_their_length_takes() -> None:
    page = page_of(*NUMBERS * 10)
    made = excerpts(Layout.of(page), list(range(1, 20, 2)), 45)
    assert [len(part.rows) for part in made] == [3, 3, 3, 1]


def test_nothing_to_ask_about_is_no_question() -> None:
    assert excerpts(Layout.of(page_of("Clinique")), [], 300) == []
