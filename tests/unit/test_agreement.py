"""Cohen's kappa against published worked examples, its interval, and where it says nothing."""

from __future__ import annotations

import pytest

from review.agreement import Agreement, Category, kappa, kappa_interval, standard_error, total


def table(*rows):
    return {(str(one), str(other)): count for one, row in enumerate(rows) for other, count in enumerate(row)}


# The two dermatologists of the SAS/STAT user's guide ("The FREQ Procedure: Agreement Study"): kappa 0.3449, its
# asymptotic standard error 0.0724, 95 % from 0.2030 to 0.4868.
DERMATOLOGISTS = table((10, 4, 1, 0), (5, 10, 12, 2), (2, 4, 12, 5), (0, 2, 6, 13))
# J. L. Fleiss, B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions", 3rd edition, table 18.1: a
# hundred diagnoses by two raters, kappa 0.68.
DIAGNOSES = table((75, 1, 4), (5, 4, 1), (0, 0, 10))


def test_kappa_is_that_of_the_two_dermatologists():
    assert kappa(DERMATOLOGISTS) == pytest.approx(0.3449, abs=5e-5)


def test_its_standard_error_is_that_of_the_two_dermatologists():
    assert standard_error(DERMATOLOGISTS) == pytest.approx(0.0724, abs=5e-5)


def test_its_interval_is_that_of_the_two_dermatologists():
    assert kappa_interval(DERMATOLOGISTS) == pytest.approx((0.2030, 0.4868), abs=5e-5)


def test_kappa_is_that_of_the_hundred_diagnoses():
    assert kappa(DIAGNOSES) == pytest.approx(0.68, abs=5e-3)


@pytest.mark.parametrize(
    ("rows", "value"),
    [(((20, 5), (10, 15)), 0.4), (((45, 15), (25, 15)), 0.1304), (((25, 35), (5, 35)), 0.2593)],
    ids=["grants", "same agreement, other margins", "same agreement, unlike margins"],
)
def test_kappa_of_two_categories(rows, value):
    """The 50 grant applications and the two tables of 100 that encyclopaedias work through."""
    assert kappa(table(*rows)) == pytest.approx(value, abs=5e-5)


def test_people_who_agree_by_chance_only_have_a_kappa_of_zero():
    assert kappa(table((25, 25), (25, 25))) == pytest.approx(0)


def test_people_who_never_agree_have_a_negative_kappa():
    assert kappa(table((0, 10), (10, 0))) == pytest.approx(-1)


@pytest.mark.parametrize("cells", [{}, {("correct", "correct"): 40}], ids=["no items", "one category"])
def test_kappa_is_undefined_where_chance_alone_explains_everything(cells):
    assert (kappa(cells), standard_error(cells), kappa_interval(cells)) == (None, None, None)


@pytest.mark.parametrize(
    ("rows", "value"),
    [(((3, 0), (0, 2)), 1), (((2, 0), (1, 0)), 0)],
    ids=["they agree on everything", "one of them used one category"],
)
def test_an_error_of_nothing_is_no_interval_to_be_taken_for_certainty(rows, value):
    assert (kappa(table(*rows)), kappa_interval(table(*rows))) == (pytest.approx(value), None)


def test_the_interval_stays_between_its_ends():
    low, high = kappa_interval(table((3, 1), (0, 1)))
    assert -1 <= low <= high <= 1


def test_pages_add_up():
    one = Agreement(1, {("correct", "correct"): 4, ("correct", "wrong"): 1}, 3)
    both = total([one, Agreement(1, {("correct", "correct"): 5}, 5)])
    assert (both.pages, both.items, both.same, both.share) == (2, 10, 8, 0.8)


def test_rows_are_what_the_first_person_said():
    rows = dict(Agreement(1, {("wrong", "correct"): 2}).rows)
    assert rows[Category.WRONG] == [2, 0, 0, 0]


def test_no_items_have_no_share():
    assert (Agreement().share, Agreement().share_interval) == (None, None)
