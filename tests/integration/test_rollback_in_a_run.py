"""A roll-back in the middle of a run, with a real worker: in force for the next page within five seconds."""

from __future__ import annotations

import threading
import time

import pytest

from tests.factories import agenda_pdf, some_nam
from tests.fakes import vllm
from tests.fakes.vllm import running_vllm
from tests.installation import PEOPLE, installation, wait_until
from tests.integration.rollouts import reads_well

pytestmark = pytest.mark.queue

PAGES = 60
ANSWER_SECONDS = 0.25  # so that the run takes longer than a roll-back may
IN_FORCE_SECONDS = 5.0

UPLOAD_AND_START = f"""
from pathlib import Path
from accounts.models import User
from extraction import actions
from tests.integration.rollouts import give, start
staff, admin = (User.objects.get(email=email) for email in ({PEOPLE["staff"]!r}, {PEOPLE["admin"]!r}))
run = actions.upload(data=Path({{path!r}}).read_bytes(), file_name="agenda.pdf", by=staff).run
give(start({{endpoint!r}}, admin), run.document)
"""

ROLL_BACK = f"""
import time
from accounts.models import User
from extraction import deployments
from extraction.models import Deployment
deployments.roll_back(deployment=Deployment.objects.get(), by=User.objects.get(email={PEOPLE["admin"]!r}))
print(time.time())
"""

STATE = """
from extraction.models import Run
run = Run.objects.get()
print(run.status, run.findings.count(), run.pages.filter(deployment=None, state="found").count())
"""


def test_the_newcomer_gets_no_page_five_seconds_after_it_was_rolled_back(tmp_path, redis_server):
    asked: list[float] = []

    def slowly(question):
        asked.append(time.time())
        threading.Event().wait(ANSWER_SECONDS)
        return reads_well(question)

    document = tmp_path / "agenda.pdf"
    document.write_bytes(agenda_pdf(*([f"Page {n}", f"NAM : {some_nam(n)}"] for n in range(PAGES))))
    with running_vllm(reads_well) as good, running_vllm(slowly) as newcomer:
        model = {"LLM_ENDPOINT": good.endpoint, "LLM_MODEL": vllm.MODEL, "LLM_CONCURRENCY": "1"}
        with installation(tmp_path, redis_server, **model) as site:
            site.python(UPLOAD_AND_START.format(path=str(document), endpoint=newcomer.endpoint))
            site.start("worker")
            wait_until(lambda: len(asked) >= 3, seconds=60)
            rolled_back_at = float(site.python(ROLL_BACK))
            wait_until(lambda: site.python(STATE).startswith("done"), seconds=60)
            assert len(asked) < PAGES, "the run was over before the roll-back"
            assert asked[-1] - rolled_back_at < IN_FORCE_SECONDS
            # The scheduler finds the pages that the newcomer had answered, and the worker has them searched again.
            site.start("scheduler")
            wait_until(lambda: site.python(STATE) == f"done {PAGES} {PAGES}", seconds=60)
            assert good.chats == PAGES
