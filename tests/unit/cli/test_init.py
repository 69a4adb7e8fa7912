"""The questions of ``anular init``: one at a time, Enter takes the usual, and what cannot be is asked again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.init import TYPED, dialogue, scheduled
from pipeline.domain.errors import WrongUsage


class Person:
    """Answers in turn; "" is Enter. Whatever is left over or missing fails."""

    def __init__(self, *answers: str, passwords: tuple[str, ...] = ()) -> None:
        self.answers, self.passwords = list(answers), list(passwords)
        self.questions: list[str] = []
        self.heard: list[str] = []

    def ask(self, words: str, default: str) -> str:
        self.questions.append(words)
        return self.answers.pop(0) or default

    def secret(self, words: str) -> str:
        self.questions.append(words)
        return self.passwords.pop(0)

    def talk(self):
        found = dialogue(self.ask, self.secret, self.heard.append)
        assert not self.answers
        assert not self.passwords
        return found


COMPANY = ("Acme", "155596713-2-2015 DV 59", "acme-api", "")


def test_enter_tries_first_with_two_people_and_asks_no_password(monkeypatch, tmp_path):
    monkeypatch.setattr("pipeline.cli.init._documents", lambda: tmp_path)
    person = Person("", "", "", *COMPANY, "", "", "")
    office, asked = person.talk()
    assert (office.env, office.people, office.unattended, office.copies) == ("probar", 2, 0, None)
    assert office.folder == tmp_path / "Anular"
    assert [one.name for one in office.companies] == ["acme"]
    assert asked == {}


def test_what_cannot_be_is_asked_again_with_the_reason(tmp_path):
    wrong = ("Acme", "155596713-2-2015 DV 58", "", "")
    person = Person("3x", "1", "9", "1", str(tmp_path), *wrong, *COMPANY, "1", "mil", "20", "", "")
    office, _ = person.talk()
    assert office.unattended == 20
    assert [words.partition(":")[0] for words in person.heard] == [
        "✗ Escriba 1 o 2.",
        "✗ Escriba 1 o 2 o 3.",
        "✗ el dígito verificador del RUC 155596713-2-2015 no es 58",
        "✗ Escriba un número.",
    ]


def test_a_firm_pastes_its_companies_and_may_skip_a_password(tmp_path):
    table = tmp_path / "empresas.csv"
    table.write_text("empresa;RUC;usuario\nacme;155596713-2-2015;a-api\nbeta;8-442-445;b-api\n")
    person = Person("2", "2", str(tmp_path / "w"), "no.csv", f'"{table}"', "", "", "", passwords=("secreta", ""))
    office, asked = person.talk()
    assert office.profiles == ("acme", "beta")
    assert asked == {"acme": ("a-api", "secreta")}
    assert "login --profile beta" in person.heard[-1]


def test_companies_are_asked_one_by_one_until_there_is_no_other(tmp_path):
    other = ("beta", "8-442-445", "", "")
    office, _ = Person("2", "1", str(tmp_path), "", *COMPANY, "s", *other, "n", "", "", "").talk()
    assert office.profiles == ("acme", "beta")


def test_production_is_typed():
    with pytest.raises(WrongUsage, match="no se cambió nada"):
        Person("1", "3", "si").talk()
    office, asked = Person("1", "3", TYPED, str(Path("/srv/w")), *COMPANY, "", "", "", passwords=("secreta",)).talk()
    assert office.env == "produccion"
    assert asked == {"": ("acme-api", "secreta")}


def test_what_is_to_start_by_itself_is_what_the_person_said_yes_to(tmp_path):
    copies = tmp_path / "usb"
    office, _ = Person("1", "1", str(tmp_path / "w"), *COMPANY, "1", "20", str(copies), "s").talk()
    assert scheduled(office) == [("backup", copies), ("watch", tmp_path / "w"), ("web", None)]
    office, _ = Person("1", "1", str(tmp_path / "w"), *COMPANY, "2", "", "n").talk()
    assert scheduled(office) == []
