"""E2 as a person meets it: two companies on one machine, each command under one or the other."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NORTH, SOUTH = "sandbox-norte", "sandbox-sur"


@pytest.fixture
def two(place):
    """Two profiles, of which ``sur`` has a ledger of its own with a blank and a quote in its path."""
    secret = place.folder / "clave"
    secret.touch(0o600)
    secret.write_text("sandbox")
    config = place.folder / "anular.toml"
    own = place.folder / "del sur's" / "r.db"
    lines = []
    for name, ledger in (("norte", place.folder / "norte" / "r.db"), ("sur", own)):
        lines += [f"[profile.{name}]", f'company = "Comercial {name.title()}"', f'ledger = "sqlite:///{ledger}"']
        lines += [f'user = "sandbox-{name}"', f'password_file = "{secret}"']
    config.write_text("\n".join([*lines, ""]), "utf-8")
    place.env |= {"ANULAR_CONFIG": str(config), "ANULAR_LEDGER": "", "ANULAR_OUT": "", "ANULAR_WATCH_QUIET": "0"}
    for name in ("norte", "sur"):
        (place.folder / "carpeta" / "inbox" / name).mkdir(parents=True)
    return place


def through_a_shell(command: str) -> list[str]:
    """What a shell makes of the words of ``command``."""
    script = 'anular() { printf "%s\\0" "$@"; }\n' + command
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def suggested(text: str) -> list[list[str]]:
    """Every command that a text suggests, as a shell hands it to the program."""
    parts = text.replace("\n", " ").split("«anular")[1:]
    return [through_a_shell("anular" + part.split("»")[0]) for part in parts]


def watch(place, **more):
    return place.anular("watch", place.folder / "carpeta", "--once", "--json", **more)


def test_what_a_note_suggests_releases_the_batch_of_that_company_in_its_ledger(two):
    two.batch(["000"] * 2, "lote.xlsx").rename(two.folder / "carpeta" / "inbox" / "sur" / "lote.xlsx")
    two.batch(["000"] * 2, "lote.xlsx", 50).rename(two.folder / "carpeta" / "inbox" / "norte" / "lote.xlsx")
    held = watch(two, ANULAR_WATCH_MAX_ROWS="1")
    assert held.code == 7, held.words
    other = (two.folder / "carpeta" / "done" / "norte" / "lote.txt").read_bytes()
    note = (two.folder / "carpeta" / "done" / "sur" / "lote.txt").read_text("utf-8")
    assert "Empresa:   Comercial Sur" in note
    (command,) = [words for words in suggested(note) if words[0] == "release"]

    done = two.anular(*command, "--yes", "--json")
    assert done.code == 0, done.words
    assert done.data[0]["outcomes"] == {"ANULADA": 2}
    journal = two.folder / "del sur's" / "r.db.sandbox.jsonl"
    assert NORTH not in journal.read_text("utf-8")
    assert journal.read_text("utf-8").count('"route":"cancel"') == 2
    note = (two.folder / "carpeta" / "done" / "sur" / "lote.txt").read_text("utf-8")
    assert "Estaba retenido y lo aprobó" in note
    assert "Empresa:   Comercial Sur" in note
    assert (two.folder / "carpeta" / "done" / "norte" / "lote.txt").read_bytes() == other


def test_a_file_of_another_company_is_not_sent_and_its_own_command_is_named(two):
    file = two.batch(["000"] * 2, "lote.xlsx")
    (two.folder / "carpeta" / "inbox" / "sur" / "lote.xlsx").write_bytes(file.read_bytes())
    assert watch(two, ANULAR_WATCH_MAX_ROWS="1").code == 7
    refused = two.anular("run", file, "--yes", "--profile", "norte")

    assert refused.code == 3, refused.words
    assert "[lote-de-otra-empresa]" in refused.err
    assert "«Comercial Sur»" in refused.err
    ((*command,),) = suggested(refused.err)
    assert command[0] == "release"
    assert two.anular(*command, "--yes").code == 0

    (two.folder / "carpeta" / "inbox" / "norte" / "otro.xlsx").write_bytes(file.read_bytes())
    again = watch(two)
    assert again.data[0]["fate"] == "refused"
    note = (two.folder / "carpeta" / "failed" / "norte" / "otro.txt").read_text("utf-8")
    assert "ya está en otro historial de envíos" in note
    assert "Sur" not in note, "not a word about another company"


def test_inbox_itself_takes_nothing_where_companies_have_folders(two):
    two.batch(["000"], "lote.xlsx").rename(two.folder / "carpeta" / "inbox" / "lote.xlsx")
    done = watch(two)

    assert done.code == 3, done.words
    note = (two.folder / "carpeta" / "failed" / "lote.txt").read_text("utf-8")
    assert "«inbox/norte», «inbox/sur»" in note
    assert "[carpeta-sin-empresa]" in note
    assert not list(two.folder.rglob("*.sandbox.jsonl"))


@pytest.mark.long
def test_stricter_rules_of_today_keep_the_rest_of_a_known_file_from_being_sent(place):
    file = place.batch(["000"] * 3)
    assert place.anular("run", file, "--yes", "--only", "1").code in (0, 1)
    assert place.anular("check", file, ANULAR_ISSUERS="8-1-1").code == 1
    done = place.anular("run", file, "--yes", "--json", ANULAR_ISSUERS="8-1-1")

    assert done.code == 1, done.words
    assert done.data[0]["outcomes"] == {"ANULADA": 1, "NO ENVIADA": 2}
    assert "por las reglas de hoy" in done.err
    assert sum(place.posts().values()) == 1
    assert place.anular("run", file, "--yes").code == 0
    assert sorted(place.posts().values()) == [1, 1, 1]


def test_the_question_names_the_company_and_a_half_is_refused_without_a_secret(two):
    half = two.anular("poll", ANULAR_USER="usuario-a", ANULAR_CONFIG=str(two.folder / "anular.toml"))
    assert (half.code, "[credentials-half]" in half.words) == (2, True)
    check = two.anular("check", two.batch(["000"]), "--profile", "norte")
    assert "Comercial Norte" in check.out


def orders() -> list[tuple[str, list[str | None]]]:
    """Every call of ``order`` in the program: where, and its words (None for one that is known only at run time)."""
    found = []
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "order":
                given = node.args[:-1] if len(node.args) > 2 and isinstance(node.args[-1], ast.Starred) else node.args
                words = [str(one.value) if isinstance(one, ast.Constant) else None for one in given]
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", words))
    return found


@pytest.mark.long  # each in a process of its own
def test_every_command_that_the_program_suggests_is_one_that_it_takes(two):
    """Whatever is known only at run time is a batch; each distinct command is run as a shell hands it over."""
    from pipeline.domain.commands import Here, order

    assert two.anular("run", two.batch(["000"]), "--yes", "--profile", "sur").code == 0
    batch = two.anular("status", "--json", "--profile", "sur").data[0]["batch"]
    found = {tuple(batch if word is None else word for word in words) for _, words in orders()}
    assert len(found) > 5
    assert ("release", batch) in found
    two.anular("certs", "add", "--ruc", "29-29-29", "--profile", "sur")
    two.anular("certs", "edit", "1", "--state", "rechazado", "--observations", "Falta la cédula", "--profile", "sur")
    for words in sorted(found):
        if words[0] in ("certs", "approve", "reject") or "--approved" in words:  # there it is a number, or a RUC
            words = tuple(
                ("8-123-456" if "--ruc" in words else "1") if word in (batch, "NUMERO") else word for word in words
            )
        if words[0] == "schedule":  # there it is a folder, and one with the name of a batch would stand in its way
            what = "backup" if words[1] == batch else words[1]
            words = ("schedule", what, *("copias" if word == batch else word for word in words[2:]))
        (command,) = suggested(Here("sur").complete(order(*words)))
        if words[0] in ("worker", "login") or "--workers" in words or "link" in words:
            # needs a server, a terminal or an account: they say so, and know their options
            assert two.anular(*command).code == 2
            continue
        if command == ["web"]:  # the page is that of every company, and serves until it is stopped
            continue
        no_batch = words[0] in ("check", "run", "template", "resend", "ledger", "approve", "reject", "propose")
        if no_batch or "--file" in words:  # a batch is no file, no row and no address, and there is no proposal
            refused = two.anular(*command)
            assert refused.code in (0, 2, 3, 7)
            assert "Vea la ayuda" not in refused.words
            continue
        if "--take-over" in words:  # a folder stands where this test knows batches only
            assert "watch-folder-missing" in two.anular(*command).words
            continue
        done = two.anular(*command, *(["--yes"] if words[0] == "release" else []))
        assert done.code in (0, 1, 4), (words, done.words)


@pytest.mark.long
def test_at_night_every_company_is_asked_about_and_the_trouble_of_one_is_its_own(two):
    """Side by side, in the order of their names, whoever ends first."""
    for number, name in enumerate(("norte", "sur"), start=1):
        sent = two.anular(
            "run", two.batch(["950"], f"{name}.xlsx", number * 50), "--yes", "--profile", name, ANULAR_POLL_FOR="1"
        )
        assert sent.code == 4, sent.words
    both = two.anular("poll", "--all", "--json", ANULAR_POLL_FOR="1")
    assert [one["profile"] for one in both.data] == ["norte", "sur"]

    (two.folder / "norte" / "r.db").write_bytes(b"")
    one = two.anular("poll", "--all", "--json", ANULAR_POLL_FOR="1")

    assert one.code == 5
    assert [each["profile"] for each in one.data] == ["sur"]
    assert "ledger-empty" in one.words
