"""Some rows of the fault matrix through the command itself: its exit code (D9), its words and what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from tests.faults.actions import says, sends
from tests.faults.bench import make_cufe
from tests.faults.command import Command
from tests.support.long import long


@pytest.mark.parametrize("name", ["AUTH", *long("CANCEL")])
def test_f03_a_certificate_of_an_unknown_authority_stops_with_5_and_is_named(
    command: Command, name: str, tmp_path: Path
) -> None:
    """There is no switch for it, so the command cannot be told to trust a private authority."""
    pem = tmp_path / "certificate.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    port = command.batch(2).server.listen("tls", certificate=str(pem))
    command.url(name, f"https://127.0.0.1:{port}/Servicio")
    done = command.run()
    assert done.code == 5
    assert "certificado" in done.words
    assert command.outcomes == ["NO ENVIADA"] * 2
    assert not command.server.entries(listener="tls")


def test_f06_f28_lost_answers_are_found_by_query_and_end_with_0(command: Command) -> None:
    command.batch(4)
    command.script("cancel", sends(end="reset", apply="now"), row=2)
    command.script("cancel", says(502, apply="now", raw="<html>Bad Gateway</html>"), row=4)
    assert command.run().code == 0
    assert command.outcomes == ["ANULADA"] * 4
    assert command.posts == 4
    assert command.run().code == 0
    assert command.posts == 4


def test_f14_a_web_page_for_the_canary_stops_with_5_after_one_post(command: Command) -> None:
    command.batch(4)
    command.script("cancel", says(raw="<html>Inicie sesión</html>"))
    done = command.run()
    assert done.code == 5
    assert "no se entendieron" in done.words
    assert command.posts == 1
    assert command.outcomes == ["RESULTADO DESCONOCIDO", *["NO ENVIADA"] * 3]


def test_f20_an_answer_about_another_document_stops_with_5(command: Command) -> None:
    command.batch(3)
    command.script("cancel", says(estado=2, cufe=make_cufe(9)))
    done = command.run()
    assert done.code == 5
    assert "cruzada" in done.words
    assert command.posts == 1


@pytest.mark.parametrize("status", [401, 403])
def test_f26_refused_rights_stop_with_5(command: Command, status: int) -> None:
    command.batch(3)
    command.script("cancel", says(status))
    done = command.run()
    assert done.code == 5
    assert str(status) in done.words
    assert command.posts == (2 if status == 401 else 1)
    assert len(command.server.entries(service="token")) <= 3


def test_f38_a_query_service_that_is_down_ends_with_4_and_a_later_poll_with_0(command: Command) -> None:
    command.batch(2)
    command.script("cancel", sends(end="close", apply="now"), row=2)
    command.script("query", says(500))
    assert command.run().code == 4
    assert command.outcomes == ["ANULADA", "RESULTADO DESCONOCIDO"]
    command.script("query", {})
    assert command.run("poll").code == 0
    assert command.outcomes == ["ANULADA"] * 2
    assert command.posts == 2
