"""What the side-by-side benchmark makes of other tools' answers, without running any of them."""

from __future__ import annotations

from extraction.corpus.documents import build
from tests.benchmarks.peers import one_prompt
from tests.benchmarks.side_by_side import Pages, Tool, hallucinated, join, peer_texts, row

PAGE = ("a", 1)
NAM, FALSE = "TREM04121925", "ROYJ85062018"


def pages(text=f"NAM : {NAM[:4]} {NAM[4:8]} {NAM[8:]}"):
    return Pages({PAGE: text, ("a", 2): ""}, {PAGE: [NAM]}, {"a": "scan"}, {})


def test_a_tool_is_scored_over_all_pages_and_by_category():
    shown = row(Tool("x", {PAGE: [NAM], ("a", 2): [FALSE]}, reading=4.0, finding=1.0), pages())
    assert (shown["tp"], shown["fp"], shown["fn"], shown["pages"]) == (1, 1, 0, 2)
    assert (shown["reading"], shown["finding"]) == (2.0, 0.5)
    assert shown["categories"] == {"scan": {"tp": 1, "fp": 1, "fn": 0}}


def test_a_tool_that_said_nothing_missed_everything():
    assert row(Tool("x"), pages())["fn"] == 1


def test_a_false_value_that_is_printed_is_no_hallucination():
    assert hallucinated({PAGE: [FALSE]}, {}, {PAGE: "Facture ROYJ 8506-2018"}) == 0


def test_a_look_alike_of_what_is_printed_is_no_hallucination():
    assert hallucinated({PAGE: [FALSE]}, {}, {PAGE: "R0YJ 85O6 2OI8"}) == 0


def test_a_false_value_that_stands_nowhere_is_one():
    assert hallucinated({PAGE: [FALSE, NAM]}, {PAGE: [NAM]}, {PAGE: "rien"}) == 1


def test_recognised_pages_and_skipped_pages_keep_their_numbers(tmp_path):
    pdf = tmp_path / "x.pdf"
    join([(name, _written(tmp_path, name)) for name in ("agenda", "form")], pdf)
    texts = peer_texts("[OCR skipped on page(s) 1-2]\frecognised", pdf)
    assert list(texts) == [1, 2, 3]
    assert "Agenda" in texts[1]
    assert texts[3] == "recognised"


def test_joined_pages_know_where_they_come_from(tmp_path):
    documents = [(name, _written(tmp_path, name)) for name in ("agenda", "form")]
    assert join(documents, tmp_path / "x.pdf") == [("agenda", 1), ("form", 1)]


def _written(folder, kind):
    file = folder / f"{kind}.pdf"
    file.write_bytes(build(kind, seed=1, pages=1).pdf)
    return file


def test_the_seeds_answer_is_read_with_its_pages():
    answer = '{"results": [{"nam": "TREM 0412 1925", "page": "2", "date": null}]}'
    assert one_prompt.parsed(answer, "a") == [["a", 2, "TREM 0412 1925"]]


def test_an_answer_that_was_cut_short_is_lost_whole():
    for content in ('{"results": [{"nam": "TREM04121925", "pa', '{"nams": []}', "[]", "", None, '{"results": [1]}'):
        assert one_prompt.parsed(content, "a") is None


def test_the_whole_document_goes_into_one_prompt():
    shown = one_prompt.question([{"number": 1, "text": "un"}, {"number": 2, "text": "deux"}])
    assert shown == "=== Page 1 ===\nun\n\n=== Page 2 ===\ndeux"
