"""What a model server says of itself is read strictly, and nothing it says can do harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.llm.metrics import Load, parse

# Cut from an answer of vLLM's V1 engine.
V1 = b"""# HELP python_gc_objects_collected_total Objects collected during gc
# TYPE python_gc_objects_collected_total counter
python_gc_objects_collected_total{generation="0"} 13104.0
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="nam-extractor"} 3.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="nam-extractor"} 7.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="nam-extractor"} 0.4375
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="nam-extractor"} 2000.0
vllm:prefix_cache_queries_created{engine="0",model_name="nam-extractor"} 1.7e+09
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="nam-extractor"} 1500.0
"""


def test_the_load_of_a_v1_engine_is_read():
    assert parse(V1) == Load(running=3, waiting=7, cache_use=0.4375, prefix_hits=0.75)


def test_the_cache_has_an_older_name():
    assert parse(b"vllm:gpu_cache_usage_perc 0.5\n").cache_use == 0.5


def test_engines_are_added_up_and_the_fullest_cache_counts():
    both = V1 + V1.replace(b'engine="0"', b'engine="1"').replace(b"0.4375", b"0.9")
    assert parse(both) == Load(running=6, waiting=14, cache_use=0.9, prefix_hits=0.75)


def test_what_is_not_said_is_none():
    assert parse(b"# nothing here\n") == Load()


def test_hits_without_queries_are_no_rate():
    assert parse(b"vllm:prefix_cache_hits_total 5\n").prefix_hits is None


def test_a_label_may_hold_braces_quotes_and_a_timestamp_may_follow():
    assert parse(b'vllm:num_requests_running{model_name="a}\\"{b"} 2 1764200000000\r\n').running == 2


@pytest.mark.parametrize(
    "value", ["NaN", "+Inf", "-1", "1e400", "1.2.3", "two", "", "1_000", "0x10", "9" * 40, "1 2 3", "1000001"]
)
def test_a_count_that_is_none_is_as_if_absent(value):
    assert parse(f"vllm:num_requests_running {value}\n".encode()).running is None


@pytest.mark.parametrize("value", ["1.01", "-0.1", "87.5"])
def test_a_share_beyond_one_is_as_if_absent(value):
    assert parse(f"vllm:kv_cache_usage_perc {value}\n".encode()).cache_use is None


def test_more_hits_than_queries_are_no_rate():
    assert parse(b"vllm:prefix_cache_queries_total 5\nvllm:prefix_cache_hits_total 6\n").prefix_hits is None


def test_a_line_without_end_is_left_alone():
    assert parse(b"vllm:num_requests_running{" + b'x="' * 1_000_000) == Load()


def test_lines_without_end_are_given_up():
    assert parse(b"a 1\n" * 100_000 + b"vllm:num_requests_running 1\n") == Load()


@given(st.binary(max_size=400))
def test_no_bytes_raise(body):
    parse(b"vllm:num_requests_running{" + body + b"} " + body)
    parse(body)
