"""Which replica gets a question, which one rests, and that a question is not lost with a replica."""

from __future__ import annotations

import os
import threading
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.llm import client, replicas
from extraction.llm.client import ModelBadReply, ModelServer, ModelUnreachable
from extraction.llm.replicas import FIRST_REST, LONGEST_REST, AllResting, Balancer, Replicas


class Clock:
    """A time of day that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def balancer(size, clock):
    return Balancer(size, clock=clock, draw=map(float, count()).__next__)


def ask(shared, *, tried=(), fails=None):
    """One question from beginning to end; the replica that got it."""
    with shared.turn(tried) as index:
        if fails is not None and index is not None:
            raise fails
    return index


def fail(shared, *, tried=()):
    with pytest.raises(ModelUnreachable):
        ask(shared, tried=tried, fails=ModelUnreachable("unreachable"))


def test_the_replica_with_the_fewest_open_questions_is_next(clock):
    shared = balancer(3, clock)
    with shared.turn() as first, shared.turn() as second, shared.turn() as third, shared.turn() as fourth:
        assert {first, second, third} == {0, 1, 2}
        assert fourth == first


def test_of_equals_the_one_that_was_asked_least_is_next(clock):
    shared = balancer(3, clock)
    assert [ask(shared) for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_processes_do_not_all_begin_at_the_same_replica():
    assert len({ask(Balancer(8)) for _ in range(40)}) > 1


def test_a_replica_that_failed_is_left_alone(clock):
    shared = balancer(2, clock)
    fail(shared)
    clock.now += FIRST_REST - 0.1
    assert {ask(shared) for _ in range(5)} == {1}


def test_after_its_rest_it_gets_one_question_at_a_time(clock):
    shared = balancer(1, clock)
    fail(shared)
    clock.now += FIRST_REST
    with shared.turn() as probe:
        assert probe == 0
        with shared.turn() as second:
            assert second is None


def test_it_is_back_when_that_question_is_answered(clock):
    shared = balancer(1, clock)
    fail(shared)
    clock.now += FIRST_REST
    ask(shared)
    with shared.turn() as one, shared.turn() as other:
        assert (one, other) == (0, 0)


def test_its_rest_grows_with_each_failure_and_has_an_end(clock):
    shared = balancer(1, clock)
    rests = []
    for _ in range(2000):
        fail(shared)
        rests.append(shared.replicas[0].rests_until - clock.now)
        clock.now = shared.replicas[0].rests_until
    assert rests[:5] == [5, 10, 20, 40, 60]
    assert rests[-1] == LONGEST_REST


def test_a_bad_answer_is_an_answer(clock):
    shared = balancer(1, clock)
    with pytest.raises(ModelBadReply):
        ask(shared, fails=ModelBadReply("schema"))
    assert ask(shared) == 0


def test_an_interruption_says_nothing_about_a_replica(clock):
    shared = balancer(1, clock)
    with pytest.raises(KeyboardInterrupt):
        ask(shared, fails=KeyboardInterrupt())
    assert (shared.replicas[0].open, shared.replicas[0].failures) == (0, 0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=40), st.integers(1, 4))
def test_whatever_happens_no_question_stays_open_and_none_goes_to_a_resting_replica(steps, size):
    clock = Clock()
    shared = balancer(size, clock)
    for fails, passed in steps:
        clock.now += passed
        resting = {i for i, each in enumerate(shared.replicas) if each.failures and clock.now < each.rests_until}
        try:
            index = ask(shared, fails=ModelUnreachable("timeout") if fails else None)
        except ModelUnreachable:
            continue
        assert index not in resting
        assert index is not None or len(resting) == size
    assert [each.open for each in shared.replicas] == [0] * size


def test_threads_share_the_load_evenly(clock):
    shared, barrier = balancer(4, clock), threading.Barrier(8)
    taken = []

    def one():
        with shared.turn() as index:
            taken.append(index)
            barrier.wait(5)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [0, 0, 1, 1, 2, 2, 3, 3]


# --- Over servers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def servers(monkeypatch):
    """Three servers that answer with their own address unless told to raise; begun anew for each test."""
    replicas._balancer.cache_clear()
    behaviour: dict[str, Exception] = {}
    asked: list[str] = []

    def chat(server, messages, schema, *, max_tokens, allowed):
        asked.append(server.endpoint)
        if server.endpoint in behaviour:
            raise behaviour[server.endpoint]
        return server.endpoint

    monkeypatch.setattr(client, "chat", chat)
    made = Replicas(tuple(ModelServer(f"http://10.0.0.{n}/v1", "m") for n in (1, 2, 3)))
    yield made, behaviour, asked
    replicas._balancer.cache_clear()


def question(made):
    return made.chat([], None, max_tokens=1)


@pytest.mark.parametrize(
    "trouble", [ModelUnreachable("timeout"), ModelBadReply("status"), ModelBadReply("not_json")], ids=str
)
def test_a_question_that_one_replica_cannot_answer_goes_to_another(servers, trouble):
    made, behaviour, _asked = servers
    behaviour |= {"http://10.0.0.1/v1": trouble, "http://10.0.0.2/v1": trouble}
    assert {question(made) for _ in range(6)} == {"http://10.0.0.3/v1"}


def test_an_answer_that_breaks_the_schema_is_the_models_and_asked_once(servers):
    made, behaviour, asked = servers
    behaviour |= {server.endpoint: ModelBadReply("schema") for server in made.servers}
    with pytest.raises(ModelBadReply):
        question(made)
    assert len(asked) == 1


def test_every_replica_is_tried_before_a_page_fails(servers):
    made, behaviour, asked = servers
    behaviour |= {server.endpoint: ModelUnreachable("timeout") for server in made.servers}
    with pytest.raises(ModelUnreachable) as failure:
        question(made)
    assert (failure.value.reason, len(set(asked)), len(asked)) == ("timeout", 3, 3)


def test_nobody_is_asked_while_all_rest(servers):
    made, behaviour, asked = servers
    behaviour |= {server.endpoint: ModelUnreachable("timeout") for server in made.servers}
    with pytest.raises(ModelUnreachable):
        question(made)
    asked.clear()
    with pytest.raises(AllResting):
        question(made)
    assert asked == []


def test_a_page_that_every_replica_refuses_sends_none_to_rest(servers):
    made, behaviour, _asked = servers
    behaviour |= {server.endpoint: ModelBadReply("status") for server in made.servers}
    with pytest.raises(ModelBadReply):
        question(made)
    behaviour.clear()
    assert len({question(made) for _ in range(3)}) == 3


def test_a_forked_child_begins_anew(servers):
    made, _behaviour, _asked = servers
    names = tuple((server.endpoint, server.model) for server in made.servers)
    with replicas._balancer(names).turn():
        read, write = os.pipe()
        if os.fork() == 0:
            os.write(write, bytes([sum(each.open for each in replicas._balancer(names).replicas)]))
            os._exit(0)
        assert os.read(read, 1) == b"\x00"
        os.wait()
        os.close(read)
        os.close(write)
