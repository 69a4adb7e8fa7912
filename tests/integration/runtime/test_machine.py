"""A machine keeps its identity whatever it is called."""

from __future__ import annotations

import platform

import pytest

from pipeline.ledger.ownership import host_id
from pipeline.runtime.machine import machine_text
from tests.support.windows import PretendedWindows

IOREG = """\
+-o J314sAP  <class IOPlatformExpertDevice, id 0x10000024e>
    {
      "IOPlatformSerialNumber" = "C02XXXXXXXXX"
      "IOPlatformUUID" = "00000000-1111-4222-8333-444444444444"
    }
"""


@pytest.mark.parametrize(
    "known", [{"windows": PretendedWindows()}, {"hardware": lambda: IOREG}], ids=["Windows", "macOS"]
)
def test_a_machine_that_is_called_otherwise_is_the_same(monkeypatch, known):
    before = host_id([], **known)
    monkeypatch.setattr(platform, "node", lambda: "PC-NUEVA")
    assert host_id([], **known) == before


def test_two_machines_of_one_name_are_two():
    one, two = PretendedWindows(guid="g1"), PretendedWindows(guid="g2")
    assert host_id([], windows=one) != host_id([], windows=two)
    assert machine_text([], hardware=lambda: IOREG) == "platform-uuid 00000000-1111-4222-8333-444444444444"


def test_a_machine_whose_system_says_nothing_is_known_by_its_name():
    nameless = PretendedWindows(guid="")
    assert machine_text([], nameless, lambda: "nonsense") == f"node {platform.node()}"
