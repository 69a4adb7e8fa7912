"""Every word on screen is in one list, and it is Spanish."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

from pipeline.web import texts
from pipeline.web.conf import HERE

ENGLISH = re.compile(
    r"\b(the|and|or|of|to|with|your|you|is|are|this|that|not|please|password|user|log ?in|log ?out|sign|save|cancel|"
    r"delete|edit|back|next|search|file|upload|download|row|batch|error occurred|invalid|required|submit|welcome)\b",
    re.IGNORECASE,
)
PLACE = re.compile(r"{\w+}|\bcomando [a-z]+\b")
"""What is no word of a sentence: what is put in, and the name of a command."""
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}|<!--.*?-->|<[^>]*>", re.DOTALL)
SHOWN_ATTRIBUTE = re.compile(r"\b(?:alt|title|placeholder|aria-label)=\"([^\"{]+)\"")


def words() -> Iterator[tuple[str, str]]:
    for found in pkgutil.iter_modules(texts.__path__):
        module = importlib.import_module(f"pipeline.web.texts.{found.name}")
        for name, value in vars(module).items():
            if name.isupper():
                for text in value.values() if isinstance(value, dict) else [value]:
                    yield f"{found.name}.{name}", str(text)


def test_the_words_on_screen_are_spanish():
    found = list(words())
    assert len(found) > 40
    assert [(name, text) for name, text in found if ENGLISH.search(PLACE.sub("", text))] == []


@pytest.mark.parametrize("text", ["Please log in", "Your password is wrong"])
def test_an_english_sentence_would_be_noticed(text):
    assert ENGLISH.search(text)


def test_templates_have_no_words_of_their_own():
    seen = []
    for template in sorted((HERE / "templates").rglob("*.html")):
        text = template.read_text("utf-8")
        plain = TAG.sub(" ", text) + " ".join(SHOWN_ATTRIBUTE.findall(text))
        seen += [(template.name, word) for word in re.findall(r"[A-Za-zÁÉÍÓÚÑáéíóúñ]{2,}", plain)]
    assert seen == []


def test_every_word_that_a_template_names_is_there():
    known = {name for name, _ in words()}
    for template in (HERE / "templates").rglob("*.html"):
        for module, name in re.findall(r"\bt\.(\w+)\.([A-Z_]+)", template.read_text("utf-8")):
            assert f"{module}.{name}" in known, f"{template.name}: {module}.{name}"
