"""Makes the pictures of the page in docs/img anew: the month of the sample people in a browser, against the sandbox.
Called by .ci/pictures.

usage: PYTHONPATH=. python .ci/screens.py PICTURES FOLDER      FOLDER keeps the office, and is thrown away

The clock is that of the sample files, so that the same dates stand there at every run.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from tests.support import browsing, month

WIDTH = 1000
LATER = "2029-03-12T09:30:00-05:00"
"""When somebody asks for an invoice of the batch."""
COLOURS = 128
CUT = 20


EDGE = 12
"""Paper above and below what is taken, px."""


@dataclass
class Camera:
    """Takes a picture of a page as it is on screen and keeps it small."""

    folder: Path

    def take(self, name: str, page: Any, *parts: tuple[str, str]) -> None:
        """Each part from the upper edge of one element to the lower edge of another; a dotted line stands for what is
        left out between two parts."""
        page.mouse.move(0, 0)
        strips = [self._strip(page, *part) for part in parts]
        height = sum(one.height for one in strips) + CUT * (len(strips) - 1)
        whole = Image.new("RGB", (WIDTH, height), "white")
        y = 0
        for number, strip in enumerate(strips):
            if number:
                pen = ImageDraw.Draw(whole)
                for x in range(0, WIDTH, 12):
                    pen.line([(x, y + CUT // 2), (x + 5, y + CUT // 2)], fill="#8b98a4", width=2)
                y += CUT
            whole.paste(strip, (0, y))
            y += strip.height
        file = self.folder / f"{name}.png"
        whole.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"{file.name} {WIDTH} x {height}, {file.stat().st_size:,} bytes")

    @staticmethod
    def _strip(page: Any, first: str, last: str) -> Image.Image:
        above, under = _box(page, first), _box(page, last)
        top = max(0, above["y"] - (EDGE if first != "body" else 0))
        clip = {"x": 0, "y": top, "width": WIDTH, "height": round(under["y"] + under["height"] + EDGE - top)}
        taken = page.screenshot(full_page=True, clip=clip, animations="disabled", caret="hide")
        return Image.open(io.BytesIO(taken)).convert("RGB")


def _box(page: Any, selector: str) -> dict[str, float]:
    found = page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return {**found, "y": found["y"] + page.evaluate("scrollY")}


def live(camera: Camera, office: browsing.Served) -> str:
    """The month; returns the code of an invoice that was cancelled."""
    ana, luis = (office.enter(office.page(WIDTH), name) for name in ("ana", "luis"))
    month.choose(ana, office.url, month.MONTH)
    camera.take("pagina-1-cargar", ana, ("body", "main .split"))
    review = month.check(ana)
    camera.take("pagina-2-revisar", ana, ("body", "main dl.facts"))
    month.ask_approval(ana)
    month.fill_in(luis, review)
    camera.take(
        "pagina-3-aprobar",
        luis,
        ("body", "main .lead"),
        ("main h2:has-text('Qué se anularía')", "main dl.facts"),
        ("main form.card", "main form.card"),
    )
    luis.click("text=Aprobar y enviar")
    batch = month.batch_of(ana, review)
    ana.goto(batch)
    month.more_than(ana, 59)
    camera.take("pagina-4-enviar", ana, ("body", "main .totals"))
    month.until(ana, "Terminada")
    camera.take("pagina-5-que-hacer", ana, ("body", "main .todo"))
    camera.take("pagina-7-descargar", ana, ("main .pair", "main dl.facts"))
    ana.goto(f"{batch}/filas?resultado=RESULTADO DESCONOCIDO")
    ana.click("tbody th a")
    camera.take("pagina-6-fila", ana, ("body", "main table"))
    ana.goto(f"{batch}/filas?resultado=ANULADA")
    return str(ana.locator("tbody code").first.inner_text())


def look_up(camera: Camera, office: browsing.Served, code: str) -> None:
    """Somebody finds it, years later."""
    marta = office.enter(office.page(WIDTH), "marta")
    marta.goto(f"{office.url}/buscar")
    marta.fill("#q", code)
    marta.keyboard.press("Enter")
    marta.wait_for_selector("main table")
    camera.take("pagina-8-buscar", marta, ("body", "main table"))


def first_time(camera: Camera, office: browsing.Served) -> None:
    """What a page asks where nothing is yet: the company, then the first person."""
    page = office.page(WIDTH)
    page.goto(office.first)
    page.fill("#empresa", "istmo")
    page.fill("#ruc", "155999991-2-2026 DV 07")
    camera.take("primera-vez-1-empresa", page, ("body", "main #id_personas, main fieldset:has([name=personas])"))
    page.click("main button.main")
    page.wait_for_selector("#nombre")
    page.fill("#nombre", "Elena Paz")
    page.fill("#correo", "elena@istmo.example")
    page.fill("#usuario", "elena")
    camera.take("primera-vez-2-usuario", page, ("body", "main form"))


def main(target: Path, folder: Path) -> None:
    camera = Camera(target)
    with browsing.browser() as chrome:
        with browsing.served(folder / "first", chrome, COMPANY="", ISSUERS="", SANDBOX_NOW="") as office:
            first_time(camera, office)
        with browsing.served(folder, chrome, "--sample", RATE="10", POLL_FOR="6") as office:
            code = live(camera, office)
        with browsing.served(folder, chrome, "--sample", SANDBOX_NOW=LATER) as office:
            look_up(camera, office, code)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
