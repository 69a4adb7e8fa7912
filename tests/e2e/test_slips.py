"""What people type by mistake: they are told what belongs there, in Spanish, and nothing is done."""

from __future__ import annotations

import pytest


@pytest.fixture
def batch(place):
    """A batch of one row, and another of the same day."""
    place.anular("run", place.batch(["000"], "otro.xlsx", first=5), "--yes")
    return place.anular("run", place.batch(["000"]), "--yes", "--json").data[0]["batch"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("command", ["status", "report", "poll", "support", "release"])
def test_the_name_of_a_file_in_place_of_a_batch_says_how_to_find_it(place, batch, command):
    options = ["--yes"] if command == "release" else []
    done = place.anular(command, "lote.xlsx", *options)

    assert done.code == 2
    assert "«lote.xlsx» es el nombre de un archivo, y aquí va el número de un lote." in " ".join(done.words.split())
    assert "«anular find lote.xlsx»" in " ".join(done.words.split())


def test_a_file_to_compare_has_an_option_and_one_to_verify_may_be_missing(place, batch):
    assert "«anular reconcile --file lote.xlsx»" in " ".join(place.anular("reconcile", "lote.xlsx").words.split())
    assert "«falta.xlsx» no existe, o no es un libro" in " ".join(place.anular("verify", "falta.xlsx").words.split())


def test_the_beginning_of_several_batches_names_them(place, batch):
    done = place.anular("report", "20261120")

    assert done.code == 2
    assert f"Varios lotes comienzan con «20261120»: {batch}, 20261120-" in " ".join(done.words.split())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "es una carpeta"),
        ("plantilla.csv", "«anular template plantilla.xlsx»"),
        ("plantilla", "«anular template plantilla.xlsx»"),
        ("no hay/plantilla.xlsx", "No se pudo escribir la plantilla: no existe."),
    ],
)
def test_a_template_gets_a_name_that_works(place, name, words):
    done = place.anular("template", name)

    assert (done.code, words in " ".join(done.words.split())) == (2, True), done.words
    assert not list(place.folder.glob("*.xlsx"))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["report", "20261120-1", "--pdf", "constancia.pdf"], "Sobra «constancia.pdf»"),
        (["ayuda"], "¿Quiso decir help?"),
        (["plantilla"], "¿Quiso decir template?"),
        (["version"], "¿Quiso decir --version?"),
    ],
)
def test_what_is_too_much_or_in_spanish_is_understood(place, typed, words):
    done = place.anular(*typed)

    assert (done.code, words in done.words) == (2, True), done.words


def test_a_constancia_is_called_one(place, batch):
    done = place.anular("report", batch, "--pdf", "--csv")

    assert "Constancias: " in done.words
    assert done.words.count("Resultados: ") == 1
