"""The month on the page as two people live it, step by step in the browser: for the tests, and for the pictures of the
documentation (``.ci/screens.py``)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.browsing import Served
from tests.support.desk import REASON, make_cufe
from tests.support.pages import SAMPLES

MONTH = SAMPLES / "lote_mensual.xlsx"
ISSUER, OTHER = "155999991-2-2026", "155999992-2-2026"
JOURNAL = "edoc.jsonl"
"""Where eDoc's double notes what it gets, in the folder of the office."""


@dataclass
class Month:
    """The sample month, sent by two people; ``seen`` is what each step showed."""

    review: str
    batch: str
    seen: dict[str, str]

    @property
    def id(self) -> str:
        return self.batch.rpartition("/")[2]


def choose(page: Any, url: str, file: Path) -> None:
    """The person chooses a file on the page that takes one."""
    page.goto(f"{url}/cargar")
    page.set_input_files("#archivo", str(file))


def check(page: Any) -> str:
    """… has it checked, and waits for the review; returns its address."""
    page.click("main button.main")
    page.wait_for_url(re.compile(r"/propuestas/\d+$"))
    page.wait_for_selector("main [data-live]", state="detached")
    return str(page.url)


def load(page: Any, url: str, file: Path = MONTH) -> str:
    choose(page, url, file)
    return check(page)


def ask_approval(page: Any) -> None:
    page.click("text=Enviar a aprobación")
    page.wait_for_selector(".state:has-text('Por aprobar')")


def fill_in(page: Any, review: str) -> int:
    """Who approves opens the page, ticks each issuer and types how many, as it stands there; returns how many."""
    page.goto(f"{review}/aprobar")
    for box in page.locator("input[name=emisores]").all():
        box.check()
    told = re.search(r"Va a anular ([\d,]+)", page.inner_text("main"))
    assert told is not None
    page.fill("#cantidad", told[1])
    return int(told[1].replace(",", ""))


def approve(page: Any, review: str) -> int:
    """… and approves; returns how many."""
    count = fill_in(page, review)
    page.click("text=Aprobar y enviar")
    page.wait_for_url(review)
    return count


def batch_of(page: Any, review: str) -> str:
    """Address of the batch, once the sender has begun with what was approved."""
    page.goto(review)
    link = page.locator("main a.button.main[href^='/lotes/']")
    link.wait_for()
    return review.partition("/propuestas/")[0] + str(link.get_attribute("href"))


def figure(page: Any) -> int:
    """How many the page of a batch says are sent."""
    return int(page.inner_text("[data-words]").partition(" ")[0].replace(",", ""))


def more_than(page: Any, count: int) -> None:
    """Waits until the page of a batch says by itself that more are sent. (Its policy forbids a function that waits.)"""
    for _ in range(1800):
        if figure(page) > count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still {figure(page)}")


def until(page: Any, word: str) -> None:
    """Waits on the page of a batch until it stands there by itself."""
    page.wait_for_selector(f"main .state:has-text('{word}')", timeout=180_000)


def finished(page: Any, batch: str) -> None:
    page.goto(batch)
    until(page, "Terminada")


# --- all of it


def two_people(office: Served) -> Month:
    """ana loads the sample month and asks, luis approves, and both see it go and end."""
    ana, luis = office.as_person("ana"), office.as_person("luis")
    seen = {}
    review = load(ana, office.url)
    seen["review"] = main(ana)
    ask_approval(ana)
    fill_in(luis, review)
    seen["approval"] = main(luis)
    approve(luis, review)
    batch = batch_of(ana, review)
    for page in (ana, luis):
        page.goto(batch)
    seen["sending"] = main(ana)
    for page in (ana, luis):  # each learns it from the page that is open
        until(page, "Terminada")
    seen["done"], seen["done for luis"] = main(ana), main(luis)
    for page in (ana, luis):
        page.context.close()
    return Month(review, batch, seen)


def sent(office: Served, rows: Sequence[str], name: str) -> str:
    """Address of the batch of a file of these, approved and begun."""
    ana, luis = office.as_person("ana"), office.as_person("luis")
    review = load(ana, office.url, write(office.folder, rows, name))
    ask_approval(ana)
    approve(luis, review)
    found = batch_of(ana, review)
    for page in (ana, luis):
        page.context.close()
    return found


# --- files, words, and what left


def main(page: Any) -> str:
    """What stands in the page between head and foot, once all of it has come."""
    page.wait_for_load_state("domcontentloaded")
    return re.sub(r"\s+", " ", page.inner_text("main"))


def write(folder: Path, codes: Sequence[str], name: str) -> Path:
    """A file of these."""
    path = folder / name
    path.write_text("\n".join(["CUFE,Motivo", *(f"{code},{REASON}" for code in codes), ""]), "utf-8")
    return path


def codes(first: int, count: int, issuer: str = ISSUER) -> list[str]:
    """CUFEs that eDoc's double cancels at once."""
    return [make_cufe(number, issuer=issuer) for number in range(first, first + count)]


def posts(office: Served, *, taken: bool = False) -> Counter[str]:
    """How often eDoc's double got each cancellation; ``taken``: and took it."""
    lines = (office.folder / JOURNAL).read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return Counter(one["cufe"] for one in found if one["route"] == "cancel" and (one["processed"] or not taken))
