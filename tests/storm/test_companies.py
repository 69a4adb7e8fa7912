"""E2: two companies, one ledger or two, every command, the plug pulled in between; the judge is eDoc's journal."""

from __future__ import annotations

import os
import random

import pytest

from tests.storm.companies import COMMANDS, CRASHES, Pair, one_sequence
from tests.support import ledgers
from tests.support.long import long

SHORT = 4


@pytest.mark.sqlite
@pytest.mark.parametrize(("seed", "one_ledger"), [(37, True), *long((11, True), (23, False))])
def test_each_document_only_under_its_own_companys_credential_and_once(scene, seed, one_ledger):
    one_sequence(scene, seed, SHORT, one_ledger=one_ledger)


@pytest.mark.long
@pytest.mark.parametrize("number", range(int(os.environ.get("SEQUENCES", "15"))))
def test_random_sequences_of_every_command(scene, seed, number):
    server = ledgers.on_a_server()
    one_sequence(scene, seed + number, 12, one_ledger=server or number % 2 == 0, queue=server)


def test_the_judge_finds_a_document_that_went_out_under_the_other_credential(scene):
    pair = Pair(scene, random.Random(1), one_ledger=True)
    pair.step("run", "norte", "")
    pair.owner |= dict.fromkeys(pair.owner, "sur")
    with pytest.raises(AssertionError, match="of a document of sandbox-sur by sandbox-norte"):
        pair.check()


def test_every_command_of_the_contract_is_among_the_steps():
    assert {one.split("-")[0] for one in COMMANDS} >= {
        "run",
        "poll",
        "resend",
        "resolve",
        "withdraw",
        "release",
        "watch",
    }
    assert len(CRASHES) == len(set(CRASHES))
