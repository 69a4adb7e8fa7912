"""What goes into a text column comes back the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.records import Correction, Problem, Repair
from pipeline.ledger.codec import (
    cells_from_text,
    cells_to_text,
    correction_of,
    more_from_text,
    more_to_text,
    note_of,
    remarks_from_text,
    remarks_to_text,
    to_text,
    to_time,
)

CELLS = st.one_of(
    st.text(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.dates(),
    st.datetimes(),
    st.times(),
)
WORDS = st.text(max_size=20)


@given(st.lists(CELLS, max_size=8))
def test_cells_come_back_with_their_kind(cells):
    back = cells_from_text(cells_to_text(cells))

    assert back == tuple(cells)
    assert [type(cell) for cell in back] == [type(cell) for cell in cells]


RECENT = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(RECENT, RECENT)
def test_times_come_back_and_their_texts_sort_like_them(one, other):
    assert to_time(to_text(one)) == one
    assert (to_text(one) < to_text(other)) == (one < other)


def test_a_time_of_another_zone_is_written_in_utc():
    panama = datetime(2026, 11, 20, 10, 0, tzinfo=timezone(timedelta(hours=-5)))

    assert to_text(panama) == "2026-11-20T15:00:00.000000Z"


@given(
    st.lists(st.builds(Problem, WORDS, WORDS, WORDS, WORDS, WORDS)),
    st.lists(st.builds(Repair, WORDS, WORDS, WORDS, WORDS)),
)
def test_remarks_come_back(problems, repairs):
    assert remarks_from_text(remarks_to_text(problems, repairs, problems)) == (
        tuple(problems),
        tuple(repairs),
        tuple(problems),
    )


def test_a_row_without_remarks_costs_nothing():
    assert remarks_to_text((), (), ()) == ""


def test_something_that_no_cell_can_hold_is_refused():
    with pytest.raises(TypeError):
        cells_to_text([object()])  # type: ignore[list-item]


def test_dates_datetimes_and_times_stay_apart():
    cells = (date(2026, 1, 2), datetime(2026, 1, 2), time(3, 4))  # noqa: DTZ001 - a spreadsheet's time has no zone

    assert [type(cell) for cell in cells_from_text(cells_to_text(cells))] == [date, datetime, time]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20",
        "2026-11-20T15:00:03Z",
        "2026-11-20T15:00:03.123Z",
        "2026-11-20T15:00:03.123456",
        "2026-11-20T15:00:03.123456+00:00",
        "2026-11-20 15:00:03.123456Z",
        "2026-13-20T15:00:03.123456Z",
        "٢٠٢٦-11-20T15:00:03.123456Z",
        "2026-11-20T15:00:03.123456Z\n",
    ],
)
def test_a_time_in_any_other_form_is_damage(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the caller asks for no more
        to_time(text)


@pytest.mark.parametrize("text", ["[]", "7", '{"other": 1}', '{"query": 1, "other": 1}', "{"])
def test_what_is_no_text_about_an_event_is_refused(text):
    assert more_from_text("") == {}
    with pytest.raises(ValueError):  # noqa: PT011 - json's own is one, too
        more_from_text(text)


@given(st.text(min_size=1), st.none() | st.text(min_size=1))
def test_the_texts_of_a_corrected_resend_come_back(reason, email):
    text = more_to_text(queried=True, due=None, authorised_at=None, miss=False, correction=Correction(reason, email))

    assert text.isascii()
    assert correction_of(more_from_text(text)) == Correction(reason, email)
    assert note_of("nota", text).startswith(f"nota Se reenvía con el motivo «{reason}»; correo: ")


@pytest.mark.parametrize("more", [{"email": "a@b.com"}, {"reason": ""}, {"reason": 7}, {"reason": "x", "email": 7}])
def test_half_a_correction_is_none_that_the_program_writes(more):
    with pytest.raises(ValueError, match="no correction"):
        correction_of(more)


@pytest.mark.parametrize("text", [None, "", '{"query":true}'])
def test_the_note_of_every_other_event_is_printed_as_it_is(text):
    assert note_of("nota", text) == "nota"
