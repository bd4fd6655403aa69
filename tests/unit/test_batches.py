"""Which lines a recogniser takes together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extraction.readers.local import BATCH_WIDTH, MAX_WIDTH, NARROWEST, _batches, _padded

SHAPES = st.lists(st.tuples(st.sampled_from([32, 48]), st.integers(1, MAX_WIDTH)), max_size=60)


@given(SHAPES)
def test_each_line_is_taken_once(shapes: list[tuple[int, int]]) -> None:
    assert sorted(index for together in _batches(shapes) for index in together) == list(range(len(shapes)))


@given(SHAPES)
def test_lines_taken_together_have_one_height_and_about_one_width(shapes: list[tuple[int, int]]) -> None:
    for together in _batches(shapes):
        assert len({shapes[index][0] for index in together}) == 1
        widest = shapes[together[0]][1]
        assert all(shapes[index][1] >= NARROWEST * widest for index in together[1:])


@given(SHAPES)
def test_lines_are_taken_together_in_few_numbers_and_within_the_width_of_a_wide_one(
    shapes: list[tuple[int, int]],
) -> None:
    for together in _batches(shapes):
        assert len(together) in {1, 2, 4, 8}
        assert len(together) == 1 or len(together) * _padded(shapes[together[0]][1]) <= BATCH_WIDTH


def test_eight_short_lines_are_one_batch_and_the_widest_comes_first() -> None:
    assert _batches([(32, 120)] * 8 + [(32, 900)]) == [[8], [*range(8)]]
