"""The journal as a file: whole lines, in order, by their owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.sandbox.request_log import RequestLog, read


def test_lines_are_numbered_on_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.jsonl"
    for word in ("one", "two"):
        journal = RequestLog(path)
        journal.append({"word": word})
        journal.close()
    assert read(path) == [{"seq": 0, "word": "one"}, {"seq": 1, "word": "two"}]


def test_a_line_is_in_the_file_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    journal = RequestLog(tmp_path / "journal.jsonl")
    journal.append({"word": "año\ud800"})
    assert read(tmp_path / "journal.jsonl") == [{"seq": 0, "word": "año\ud800"}]
    assert journal.entries() == read(tmp_path / "journal.jsonl")
    journal.close()


def test_half_a_line_is_not_read_and_goes_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"seq":0,"word":"one"}\n{"seq":1,"wo')
    assert read(path) == [{"seq": 0, "word": "one"}]
    journal = RequestLog(path)
    journal.append({"word": "two"})
    journal.close()
    assert read(path) == [{"seq": 0, "word": "one"}, {"seq": 1, "word": "two"}]


@pytest.mark.parametrize("text", ["Estimado cliente:\nsin más\nadiós", "adiós", "[]\n", '{"a": 1}\n', "1\n2"])
def test_a_file_that_is_no_journal_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own error is one
        RequestLog(path)
    assert path.read_text() == text


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    RequestLog(tmp_path / "journal.jsonl").close()
    assert stat.S_IMODE((tmp_path / "journal.jsonl").stat().st_mode) == 0o600


def test_a_journal_that_failed_once_is_broken_for_good(tmp_path: Path) -> None:
    full = Path("/dev/full")
    journal = RequestLog(None)
    assert full.is_char_device(), "this test needs a device that is always full"
    with full.open("wb", buffering=0) as device:
        journal._file = device.fileno()
        with pytest.raises(OSError, match="No space"):
            journal.append({"word": "one"})
    assert journal.broken
