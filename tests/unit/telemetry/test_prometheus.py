"""The metrics file says what Prometheus' own reader understands, and keeps what others wrote into it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from pipeline.telemetry.prometheus import METRICS, parse, render, sample

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e"))
KEYS = st.builds(
    lambda name, outcome, profile: sample(name, outcome=outcome, profile=profile),
    st.sampled_from(sorted(METRICS)),
    TEXTS,
    TEXTS,
)
SAMPLES = st.dictionaries(KEYS, st.integers(0, 10**12).map(float) | st.floats(0, 1e9).map(lambda x: round(x, 6)))


def understood(text):
    """What the format's own library reads."""
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@given(SAMPLES)
def test_every_label_and_value_is_read_as_it_was_meant_by_prometheus_own_library(samples):
    assert understood(render(samples)) == samples


@given(SAMPLES)
def test_what_was_written_is_read_back_before_it_is_changed(samples):
    assert parse(render(samples)) == samples


@pytest.mark.parametrize("text", ["a\\", 'a"b', "a\nb", 'a\\"b\\n', "", "ñ €", '","x="'])
def test_a_label_that_looks_like_the_format_is_still_one_label(text):
    key = sample("anular_rows", env="lab", outcome="ANULADA", profile=text)
    assert understood(render({key: 3.0})) == {key: 3.0} == parse(render({key: 3.0}))


def test_each_metric_has_its_help_and_type_once_and_before_its_samples():
    text = render({sample(name, profile=p): 1.0 for name in METRICS for p in ("a", "b")})
    for name, (kind, _) in METRICS.items():
        lines = [line for line in text.splitlines() if re.match(rf"(# (HELP|TYPE) )?{name}[ {{]", line)]
        assert [line.split()[1] for line in lines[:2]] == ["HELP", "TYPE"]
        assert lines[1].split()[3] == kind
        assert len(lines) == 4
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "line",
    ["anular_rows 3", 'anular_rows{profile="x" 3', 'otro{profile="x"} 3', 'anular_rows{profile="x"} NaN', "\x00", "3"],
)
def test_a_line_that_was_not_written_here_says_nothing(line):
    assert parse(f"{line}\n") == {}
