"""The check of a large pack's texts beside its workbook: the same pack as without it, and nothing is taken on trust."""

from __future__ import annotations

import errno
import io
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import StorageTrouble
from pipeline.evidence import beside, pack
from pipeline.evidence import format as m
from pipeline.evidence.check import Checked, check, check_texts, proven
from pipeline.ledger.ledger_events import add_support_case
from pipeline.run.results import write_results


def texts(case: Any) -> io.BytesIO:
    """What the process beside gets: the pack without workbook and event."""
    stream = io.BytesIO()
    info = case.book.views.batch(case.info.id)
    beside.write_texts(stream, case.book.views.extract(info))
    stream.seek(0)
    return stream


@pytest.fixture
def checked(case: Any) -> Checked:
    found = check_texts(texts(case))
    assert found is not None
    return found


def as_stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


def test_a_pack_of_checked_texts_is_proven_and_is_what_the_whole_check_finds(case: Any, checked: Checked) -> None:
    data = case.pack().read_bytes()
    assert proven(as_stream(data), checked) == replace(check(data), foreign=0)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", [*m.BOUND, m.EVENTS, m.CHAIN, m.MANIFEST])
def test_a_pack_in_which_one_member_is_another_is_not_proven(name: str, case: Any, checked: Checked) -> None:
    from zipfile import ZipFile

    changed = io.BytesIO()
    with ZipFile(case.pack()) as good, ZipFile(changed, "w") as bad:
        for one in good.namelist():
            content = good.read(one)
            bad.writestr(one, content[:-2] + b" \n" if one == name else content)
    changed.seek(0)
    assert proven(changed, checked) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"workbook": m.Sum(1, "0" * 64)},
        {"seal": (1, "0" * 64)},
        {"events": 1},
        {"counts": {}},
        {"last": (1, "0" * 64)},
    ],
)
def test_a_pack_about_which_something_else_was_found_is_not_proven(
    wrong: dict[str, Any], case: Any, checked: Checked
) -> None:
    assert proven(as_stream(case.pack().read_bytes()), replace(checked, **wrong)) is None


def test_events_of_other_batches_that_came_meanwhile_are_no_matter(case: Any, checked: Checked, row: Any) -> None:
    case.book.take([replace(row(80), pos=1)], name="luego", sha="c")
    data = case.pack().read_bytes()
    assert proven(as_stream(data), checked) == replace(check(data), foreign=0)


def test_a_batch_that_went_on_meanwhile_is_checked_as_a_whole(case: Any, checked: Checked) -> None:
    add_support_case(case.book.database, case.info.id, case.book.now, who="ana", rows="1", digest=b"x" * 32)
    data = case.pack().read_bytes()
    assert proven(as_stream(data), checked) is None
    assert check(data).good


def with_another(texts: io.BytesIO, name: str, change: Callable[[bytes], bytes]) -> io.BytesIO:
    """The texts with one member changed."""
    from zipfile import ZipFile

    changed = io.BytesIO()
    with ZipFile(texts) as good, ZipFile(changed, "w") as bad:
        for one in good.namelist():
            content = good.read(one)
            bad.writestr(one, change(content) if one == name else content)
    changed.seek(0)
    return changed


def test_texts_that_are_not_sound_are_not_vouched_for(case: Any) -> None:
    changed = with_another(texts(case), m.EVENTS, lambda content: content.replace(b'"claimed"', b'"CLAIMED"', 1))
    assert check_texts(changed) is None


def with_its_keys_in_another_order(content: bytes) -> bytes:
    head = json.loads(content)
    return (json.dumps({"env": head.pop("env"), **head}, ensure_ascii=False, indent=1) + "\n").encode()


def on_one_line(content: bytes) -> bytes:
    return (json.dumps(json.loads(content), ensure_ascii=False) + "\n").encode()


def with_a_key_twice(content: bytes) -> bytes:
    return content.replace(b'{\n "id"', b'{\n "id": "otro",\n "id"', 1)


def with_other_line_ends(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def with_a_zero_in_front(content: bytes) -> bytes:
    return b"0" + content


FORMS = [
    (m.HEAD, with_its_keys_in_another_order),
    (m.HEAD, on_one_line),
    (m.HEAD, with_a_key_twice),
    (m.CHAIN, with_other_line_ends),
    (m.CHAIN, with_a_zero_in_front),
]


@pytest.mark.parametrize(("name", "change"), FORMS)
def test_texts_that_say_the_same_in_another_form_are_not_vouched_for(
    name: str, change: Callable[[bytes], bytes], case: Any
) -> None:
    before = texts(case)
    assert check_texts(with_another(before, name, bytes)) is not None
    before.seek(0)
    assert check_texts(with_another(before, name, change)) is None


def written(case: Any, folder: Path, least: int) -> bytes:
    shown = write_results(case.info, case.book.views, folder)
    extract = case.book.views.extract(shown.batch)
    with beside.checking(extract, folder, least) as found:
        path = pack.write_pack(extract, shown.workbook, case.book.now, who="ana", checking=found)
    return path.read_bytes()


def test_with_a_process_beside_the_pack_has_the_same_bytes_and_nothing_is_left(
    case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = written(case, tmp_path, beside.LEAST)
    monkeypatch.setattr(pack, "check_stream", None)  # is not asked for
    assert written(case, tmp_path, 1) == alone
    assert len([one for one in tmp_path.iterdir() if one.is_file()]) == len({"libro", "paquete", "correcciones"})


def test_where_the_process_says_nothing_the_pack_is_checked_here(
    case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = written(case, tmp_path, beside.LEAST)
    monkeypatch.setattr(beside, "own_module", lambda *_: ["/bin/false"])
    assert written(case, tmp_path, 1) == alone
    monkeypatch.setattr(beside, "own_module", lambda *_: [str(tmp_path / "no-such-python")])
    assert written(case, tmp_path, 1) == alone


@pytest.mark.skipif(sys.platform == "win32", reason="needs folders in which nobody can make a file")
@pytest.mark.parametrize(
    "folder",
    [Path("/dev/null/resultados"), Path("/dev/fd"), Path("/" + "a" * 300)],
    ids=["under a file", "takes no files", "too long"],
)
def test_where_no_file_can_be_made_nothing_is_checked_beside_and_the_publishing_says_why(
    folder: Path, case: Any
) -> None:
    extract = case.book.views.extract(case.book.views.batch(case.info.id))
    with beside.checking(extract, folder, 1) as found:
        assert found() is None
        with pytest.raises(StorageTrouble) as caught:
            write_results(case.info, case.book.views, folder)
    assert caught.value.code == "resultados-no-guardados"


class Full(io.BytesIO):
    """A file on a disk with room for ``room`` bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, piece: Any) -> int:
        if self.tell() + len(piece) > self._room:
            raise OSError(errno.ENOSPC, "no space")
        return super().write(piece)


@pytest.mark.parametrize("room", [0, 10, 500, 2_000, 4_000])
def test_where_the_disk_is_full_nothing_is_checked_beside(
    room: int, case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract = case.book.views.extract(case.book.views.batch(case.info.id))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full(room))
    with beside.checking(extract, tmp_path, 1) as found:
        assert found() is None


@pytest.mark.parametrize("error", [OSError("x"), ValueError("x")])
def test_what_fails_meanwhile_is_not_swallowed(error: Exception, case: Any, tmp_path: Path) -> None:
    extract = case.book.views.extract(case.book.views.batch(case.info.id))
    for folder in (tmp_path, tmp_path / "no-hay"):
        with pytest.raises(type(error)) as caught, beside.checking(extract, folder, 1):
            raise error
        assert caught.value is error


def test_an_answer_of_ours_is_what_was_found(checked: Checked) -> None:
    assert beside._told(json.dumps(asdict(checked)).encode(), 0) == checked
    assert beside._told(json.dumps(asdict(checked)).encode(), 1) is None


NO_ANSWERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no object": lambda told: [told],
    "another object": lambda told: {},
    "a number": lambda told: 5,
    "no sums": lambda told: {**told, "sums": []},
    "a sum too few": lambda told: {**told, "sums": dict(list(told["sums"].items())[1:])},
    "a sum without a size": lambda told: {**told, "workbook": {"sha256": "0"}},
    "a size that is none": lambda told: {**told, "workbook": {"size": "x", "sha256": "0"}},
    "a seal that is none": lambda told: {**told, "seal": 1},
    "a last event too long": lambda told: {**told, "last": [*told["last"], 1]},
    "a hash that is none": lambda told: {**told, "last": [1, "x"]},
    "counts that are none": lambda told: {**told, "counts": 7},
}


@pytest.mark.parametrize("words", [b"x{}", b"\xff", b"{}", b"{} {}", b"[" * 100_000, b"null"])
def test_words_that_are_no_answer_of_ours_are_none(words: bytes) -> None:
    assert beside._told(words, 0) is None


@pytest.mark.parametrize("change", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_answer_that_lacks_something_is_none(change: Callable[[dict[str, Any]], object], checked: Checked) -> None:
    assert beside._told(json.dumps(change(asdict(checked))).encode(), 0) is None
    assert beside._told(json.dumps(asdict(checked)).encode() + b"x", 0) is None
