"""`manage.py extract` and `manage.py evaluate` as others rely on them: output, exit status, and nothing else needed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import agenda_pdf, some_nam
from tests.fakes.vllm import MODEL, running_vllm

ROOT = Path(__file__).resolve().parents[2]

AGENDA = agenda_pdf(
    ["Agenda du vendredi 3 octobre 2025", f"08:30   NAM : {some_nam(1)}", f"09:15   NAM : {some_nam(2)}"],
    ["Page sans numéro"],
)


def run(*args, **extra_env):
    """The command as a stranger runs it: no database, no Redis, no variable of ours."""
    env = {"PATH": os.environ["PATH"], "DATA_DIR": "/nonexistent", "DATABASE_URL": "postgres://x@127.0.0.1:9/none"}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=env | {"REDIS_URL": "redis://127.0.0.1:9/0"} | extra_env,
    )


@pytest.fixture
def agenda(tmp_path):
    file = tmp_path / "agenda.pdf"
    file.write_bytes(AGENDA)
    return file


def test_extract_prints_the_documented_json(agenda):
    done = run("extract", agenda, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    body = json.loads(done.stdout)
    assert (body["pages"], body["reader"], body["failed_pages"]) == (2, {"text_layer": 2}, [])
    assert body["hints"] == []
    assert set(body["timings"]) == {"read_s", "find_s", "total_s"}
    first = body["nams"][0]
    assert list(first) == [
        "nam", "page", "box", "text", "visit_date", "visit_time", "found_by", "valid", "checks", "confidence", "repairs"
    ]  # fmt: skip
    assert (first["nam"], first["page"], first["valid"]) == (some_nam(1), 1, True)
    assert (first["visit_date"], first["visit_time"]) == ("2025-10-03", "08:30")
    assert list(first["checks"]) == ["format", "birth_date", "check_character", "name"]
    x0, y0, x1, y1 = first["box"]
    assert 0 < x0 < x1 < 1
    assert 0 < y0 < y1 < 0.2


def test_extract_prints_a_line_a_number_for_people(agenda):
    done = run("extract", agenda, "--finder", "pattern")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["extract", "missing.pdf"], 1),
        (["extract"], 2),
        (["extract", "x.pdf", "--reader", "crystal"], 2),
        (["evaluate", "/nonexistent"], 2),
    ],
)
def test_exit_status_tells_bad_input_from_bad_usage(args, status):
    assert run(*args).returncode == status


def test_unreadable_input_is_one_line_with_its_reason(tmp_path):
    file = tmp_path / "x.pdf"
    file.write_bytes(b"GIF89a")
    done = run("extract", file, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "not_a_pdf" in done.stderr


def test_a_model_that_is_down_is_status_3(agenda):
    done = run("extract", agenda, "--finder", "model", LLM_ENDPOINT="http://127.0.0.1:9/v1")
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1


def test_extract_does_not_keep_quiet_about_pages_that_the_model_did_not_answer(agenda):
    with running_vllm() as server:
        done = run("extract", agenda, "--json", LLM_ENDPOINT=server.endpoint, LLM_MODEL="other")
    assert (done.returncode, len(json.loads(done.stdout)["nams"])) == (0, 2)
    assert (
        done.stderr == "extract: pages without an answer of the model: 1 (model_bad_reply)\n"
    )  # The other has no number.


def test_the_model_alone_without_an_endpoint_is_status_3(agenda):
    assert run("extract", agenda, "--finder", "model").returncode == 3


def test_evaluate_compares_every_document_with_its_truth(tmp_path, agenda):
    truth = [
        {"nam": some_nam(1), "page": 1, "date": "2025-10-03", "time": "08:30"},
        {"nam": some_nam(2), "page": 1, "date": "2025-10-03", "time": None},
        {"nam": some_nam(3), "page": 2, "date": None, "time": None},
    ]
    (tmp_path / "agenda.json").write_text(json.dumps(truth))
    done = run("evaluate", tmp_path, "--json")
    assert done.returncode == 0
    body = json.loads(done.stdout)
    total = body["total"]
    assert [document["name"] for document in body["documents"]] == ["agenda"]
    assert (total["tp"], total["fp"], total["fn"]) == (2, 0, 1)
    assert (total["precision"], total["recall"], total["f1"]) == (1.0, 0.6667, 0.8)
    assert (total["date_accuracy"], total["time_accuracy"]) == (1.0, 0.5)
    assert total["seconds_per_page"] > 0


def test_evaluate_counts_an_unreadable_document_as_missed(tmp_path):
    (tmp_path / "x.pdf").write_bytes(b"GIF89a")
    (tmp_path / "x.json").write_text(json.dumps([{"nam": some_nam(1), "page": 1, "date": None, "time": None}]))
    done = run("evaluate", tmp_path, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["total"]["fn"] == 1


@pytest.fixture
def labelled_agendas(tmp_path):
    """The agenda twice as two documents of one kind, with one NAM of three missed in each."""
    truth = [
        {"nam": some_nam(1), "page": 1, "date": "2025-10-03", "time": "08:30"},
        {"nam": some_nam(2), "page": 1, "date": "2025-10-03", "time": "10:00"},
        {"nam": some_nam(3), "page": 2, "date": None, "time": None, "box": [0.1, 0.05, 0.5, 0.2], "text": "illisible"},
    ]
    for name in ("agenda-1", "agenda-2"):
        (tmp_path / f"{name}.pdf").write_bytes(AGENDA)
        (tmp_path / f"{name}.json").write_text(json.dumps(truth))
    return tmp_path


def test_evaluate_sums_documents_by_kind_with_intervals_and_calibration(labelled_agendas):
    body = json.loads(run("evaluate", labelled_agendas, "--json", "--jobs", "2").stdout)
    (agenda,) = body["kinds"]
    assert (agenda["kind"], agenda["tp"], agenda["fn"]) == ("agenda", 4, 2)
    assert agenda["recall_95"] == [0.3, 0.9032]  # Wilson, 4 of 6
    assert 0 < body["total"]["calibration_error"] < 1
    assert body["total"]["share_sure"] == 0.6667


def test_evaluate_prints_a_table_for_people(labelled_agendas):
    lines = run("evaluate", labelled_agendas).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:7] if "---" not in line] == ["agenda-1", "agenda-2", "agenda", "total"]
    assert "66.67 (30.00–90.32)" in lines[-3]
    assert lines[-1].startswith("calibration: expected error ")


def test_evaluate_lists_every_error_on_request(labelled_agendas):
    file = labelled_agendas / "errors.csv"
    run("evaluate", labelled_agendas, "--errors", file)
    with file.open(encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["document"] == "agenda-1"]
    assert [(row["error"], row["page"], row["nam"], row["proposed"]) for row in rows] == [
        ("time", "1", some_nam(2), some_nam(2)),
        ("missed", "2", some_nam(3), ""),
    ]
    assert (rows[0]["visit"], rows[0]["proposed_visit"]) == ("2025-10-03 10:00", "2025-10-03 09:15")
    assert (rows[1]["printed"], rows[1]["read"]) == ("illisible", "Page sans numéro")


def test_evaluate_says_in_its_help_that_errors_hold_nams():
    assert "NAMs in clear" in " ".join(run("evaluate", "--help").stdout.split())


def test_evaluate_compares_all_finders_where_a_model_is_set(labelled_agendas):
    with running_vllm() as server:
        done = run(
            "evaluate", labelled_agendas, "--json", "--finder", "all", LLM_ENDPOINT=server.endpoint, LLM_MODEL=MODEL
        )
    body = json.loads(done.stdout)
    assert list(body["finders"]) == ["pattern", "model", "hybrid"]
    assert {name: each["total"]["tp"] for name, each in body["finders"].items()} == dict.fromkeys(body["finders"], 4)
    assert body["total"] == body["finders"]["hybrid"]["total"]


def test_evaluate_does_not_keep_quiet_about_a_model_that_never_answered(labelled_agendas):
    with running_vllm() as server:
        done = run("evaluate", labelled_agendas, "--finder", "model", LLM_ENDPOINT=server.endpoint, LLM_MODEL="other")
    assert done.stderr == "evaluate: model: pages without an answer of the model: 2 (model_bad_reply)\n"


def test_evaluate_of_all_finders_without_a_model_is_the_pattern_finder(labelled_agendas):
    done = run("evaluate", labelled_agendas, "--finder", "all")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "model, hybrid: need LLM_ENDPOINT"


def test_evaluate_refuses_a_truth_that_is_none(labelled_agendas):
    (labelled_agendas / "agenda-2.json").write_text('[{"page": 1}]')
    done = run("evaluate", labelled_agendas, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "evaluate: agenda-2.json is not a list of NAMs with pages\n"
