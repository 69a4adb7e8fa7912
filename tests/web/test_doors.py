"""Who may ask for what: every address has a door or a role, and nobody else comes in (S01, S02, S10)."""

from __future__ import annotations

import re
from typing import Any

from pipeline.web.headers import POLICY
from pipeline.web.roles import MATRIX, May, Role, allowed
from pipeline.web.routes import Door, Route
from tests.support.pages import HOST, ISTMO, House

OPEN_PATHS = re.compile(r"(entrar|inicio|salud|estatico)\b")
VALUES = {"int": "1", "str": "x", "slug": "x", "path": "x"}


def routes() -> dict[str, Route]:
    from pipeline.web.urls import ROUTES

    return ROUTES


def address(route: Route) -> str:
    """An address of the route, with something in each of its places."""
    return "/" + re.sub(r"<(\w+):\w+>", lambda found: VALUES[found[1]], route.path)


def ask(client: Any, route: Route, method: str) -> Any:
    return client.generic(method, address(route), HTTP_HOST=HOST)


def test_s01_without_a_session_every_address_but_the_open_ones_leads_to_the_log_in(house: House):
    stranger = house.client()
    seen = 0
    for route in routes().values():
        for method in route.methods:
            answer = ask(stranger, route, method)
            if route.access is Door.OPEN:
                assert OPEN_PATHS.match(route.path), f"{route.path} is open to everybody"
                continue
            seen += 1
            assert answer.status_code == 302, route.path
            assert answer.headers["Location"].startswith("/entrar"), route.path
    assert seen > 2


def test_s01_every_address_that_django_serves_is_in_the_table(house: House):
    from django.urls import get_resolver

    found = {pattern.name for pattern in get_resolver().url_patterns}
    assert found == routes().keys()


def test_s02_each_role_gets_what_the_matrix_says_on_every_route(house: House):
    from pipeline.web.models import Membership

    person = house.person("nadie")
    for role in Role:
        Membership.objects.filter(person=person).delete()
        Membership.objects.create(person=person, profile=ISTMO, role=role, given_by="admin", given_at=house.clock.now())
        client = house.client("nadie")
        for route in routes().values():
            if isinstance(route.access, May) and role not in MATRIX[route.access]:
                assert ask(client, route, route.methods[0]).status_code == 403, (role, route.path)
            elif "GET" in route.methods and route.access is not Door.OPEN:
                assert ask(client, route, "GET").status_code in (200, 302, 404, 409), (role, route.path)


def test_s02_an_own_thing_is_not_another_persons():
    mine = frozenset({Role.PREPARER})
    assert allowed(mine, May.STOP, own=True)
    assert not allowed(mine, May.STOP, own=False)
    assert allowed(frozenset({Role.APPROVER}), May.STOP, own=False)
    assert not allowed(frozenset(), May.SEE)


def test_s10_s11_every_answer_has_the_headers_errors_too(house: House):
    client = house.client("ana")
    answers = [client.get("/"), client.get("/nada"), client.post("/"), client.get("/entrar"), house.client().get("/")]
    answers.append(house.client(csrf=True).post("/entrar", {"usuario": "ana"}))
    answers.append(client.get("/", HTTP_HOST="otra.example"))
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    assert [one.status_code for one in answers] == [200, 404, 405, 302, 302, 403, 400]


def test_s10_no_page_has_an_inline_script_or_style():
    from pipeline.web.conf import HERE

    for template in (HERE / "templates").rglob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text), template
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, template


def test_s11_at_home_the_number_leads_to_the_name_and_another_host_to_nothing(house: House):
    client = house.client()
    answer = client.get("/entrar?x=1", HTTP_HOST="127.0.0.1:8420")
    assert (answer.status_code, answer.headers["Location"]) == (301, "http://localhost:8420/entrar?x=1")
    assert client.post("/entrar", HTTP_HOST="127.0.0.1:8420").status_code == 400
    assert client.get("/entrar", HTTP_HOST="evil.example").status_code == 400
