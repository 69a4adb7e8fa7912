"""People: invitations, roles, requests for access, links, and who may not do what (web.md 3 and 6; S02 to S04, S26)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.settings.model import Env
from pipeline.web.roles import Role
from tests.support.pages import CANAL, ISTMO, PASSWORD, House
from tests.web.test_factors import OUTSIDE
from tests.web.test_log_in import enter, text_of

GOOD = "nueve gatos sobre el tejado azul"
MAIL: dict[str, Any] = {"mail_host": "mail.example"}
DEAD = "Este enlace ya no sirve. Pida otro."


def path_of(link: str) -> str:
    return link.removeprefix("http://localhost:8420")


def link_in(text: str) -> str:
    found = re.search(r"http://localhost:8420(/(?:entrar|inicio)/\S+?)(?=[<\s]|$)", text)
    assert found, text
    return found[1]


def invite(house: House, admin: Any, **given: Any) -> str:
    """Path of the link of a new person's invitation, as the page shows it once."""
    values = {"nombre": "Rita Sol", "correo": "rita@x.example", "usuario": "rita", "papeles": ["preparador"], **given}
    answer = admin.post("/usuarios/invitar", values)
    assert answer.status_code == 302, text_of(answer)
    return link_in(text_of(admin.get(answer.headers["Location"])))


def roles(house: House, name: str, profile: str = ISTMO) -> set[str]:
    return set(house.person(name).memberships.filter(profile=profile, waits=False).values_list("role", flat=True))


# --- invitation and links


def test_an_invited_person_chooses_a_password_and_is_in(house: House, admin):
    link = invite(house, admin)
    assert "http" not in text_of(admin.get(f"/usuarios/{house.person('rita').pk}")).split("<main")[1].split("</main")[0]
    client = house.client()
    assert "Rita Sol" in text_of(client.get(link))
    answer = client.post(link, {"nueva": GOOD, "otra": GOOD})
    assert answer.headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert text_of(client.get(link)).count(DEAD) == 1
    assert enter(house.client(), "rita", GOOD).status_code == 302


def test_an_invited_person_cannot_log_in_before(house: House, admin):
    invite(house, admin)
    assert enter(house.client(), "rita", "").status_code == 422
    assert enter(house.client(), "rita", "1111").status_code == 422


def test_s26_an_invitation_ends_after_a_day_and_a_new_one_ends_the_old(house: House, admin):
    first = invite(house, admin)
    answer = admin.post(f"/usuarios/{house.person('rita').pk}", {"hacer": "enlace"})
    second = link_in(text_of(admin.get(answer.headers["Location"])))
    assert house.client().get(first).status_code == 410
    assert house.client().get(second).status_code == 200
    house.later(hours=24)
    assert house.client().get(second).status_code == 410
    assert "Invitación vencida" in text_of(house.client("admin").get("/usuarios"))


def test_s26_links_have_128_bits_or_more_are_hashed_at_rest_and_stand_in_no_log(house: House, admin, capfd, caplog):
    from pipeline.web.access.sessions import SessionStore
    from pipeline.web.models import AuditEvent, Link, WebSession

    values = {"nombre": "Rita Sol", "correo": "rita@x.example", "usuario": "rita", "papeles": ["preparador"]}
    answer = admin.post("/usuarios/invitar", values)
    sessions = str([SessionStore().decode(one.session_data) for one in WebSession.objects.all()])
    link = link_in(text_of(admin.get(answer.headers["Location"])))
    code = link.rpartition("/")[2]
    assert len(code) >= 32, "32 signs of base64 are 192 bits"
    assert house.client().get(link).status_code == 200
    assert house.client().get(link + "x").status_code == 410
    kept = str([one.__dict__ for one in [*Link.objects.all(), *AuditEvent.objects.all()]]) + str(house.lines)
    assert code not in kept + sessions + capfd.readouterr().err + caplog.text


def test_s26_of_two_who_use_a_link_at_once_one_wins(house: House, admin, monkeypatch):
    from pipeline.web.access import links

    link = invite(house, admin)
    found = links.find
    monkeypatch.setattr(links, "use", lambda one: False)
    assert house.client().post(link, {"nueva": GOOD, "otra": GOOD}).status_code == 410
    assert found is links.find
    assert not house.person("rita").has_usable_password()


def test_who_is_suspended_while_they_choose_a_password_stays_out(house: House, ana):
    from pipeline.web.access.first import set_password
    from pipeline.web.models import Person, PersonState

    person = house.person("ana")
    Person.objects.filter(pk=person.pk).update(state=PersonState.SUSPENDED)
    set_password(person, GOOD)
    assert house.person("ana").state == "suspendida"
    assert enter(house.client(), "ana", GOOD).status_code == 422


# --- forgotten


@pytest.mark.parametrize("house", [MAIL], indirect=True)
def test_a_forgotten_password_is_a_link_by_mail_that_works_once_and_ends_sessions(house: House, ana):
    answer = house.client().post("/entrar/olvide-clave", {"usuario": "ana"})
    assert "Si ese usuario existe, le enviamos un enlace. Vence en 30 minutos." in text_of(answer)
    (mail,) = house.mails
    assert mail.to == "ana@empresa.example"
    link = link_in(mail.text)
    client = house.client()
    assert client.post(link, {"nueva": GOOD, "otra": GOOD}).headers["Location"] == "/entrar?clave=1"
    assert ana.get("/").status_code == 302, "the sessions of before have ended"
    assert DEAD in text_of(client.get(link))
    assert enter(house.client(), "ana", GOOD).status_code == 302
    assert house.mails[-1].subject == "anular: su contraseña cambió"


@pytest.mark.parametrize("house", [MAIL], indirect=True)
def test_a_link_dies_after_30_minutes_and_when_the_password_changes(house: House, ana):
    house.client().post("/entrar/olvide-clave", {"usuario": "ana"})
    link = link_in(house.mails[0].text)
    house.later(minutes=30)
    assert house.client().get(link).status_code == 410
    house.client().post("/entrar/olvide-clave", {"usuario": "luis"})
    link = link_in(house.mails[1].text)
    assert house.client().get(link).status_code == 200
    house.client("luis").post("/cuenta/clave", {"actual": PASSWORD, "nueva": GOOD, "otra": GOOD})
    assert house.client().get(link).status_code == 410


@pytest.mark.parametrize("house", [MAIL], indirect=True)
def test_s13_a_stranger_gets_the_same_page_and_as_many_lines_are_written(house: House):
    from pipeline.web.models import Link

    pages = []
    for user in ("ana", "nobody", "invitada"):
        before = Link.objects.count()
        pages.append(
            re.sub(r'value="\w+"', "", text_of(house.client().post("/entrar/olvide-clave", {"usuario": user})))
        )
        assert Link.objects.count() == before + 1
    assert len(set(pages)) == 1
    assert len(house.mails) == 1


@pytest.mark.parametrize("house", [MAIL], indirect=True)
def test_a_forgotten_user_shows_part_of_the_administrators_address_and_never_the_whole(house: House):
    answer = text_of(house.client().post("/entrar/olvide-usuario", {"ruc": " 155999991-2-2026 "}))
    assert "El acceso de esa empresa lo administra a••••@e••••.example" in answer
    assert "Le enviamos un recordatorio con los usuarios de la empresa." in answer
    assert "empresa.example" not in answer
    assert "Elena" not in answer
    (mail,) = house.mails
    assert mail.to == "admin@empresa.example"
    assert "ana (Ana Pérez)" in mail.text
    assert "olga" not in mail.text


@pytest.mark.parametrize("house", [MAIL], indirect=True)
def test_s13_an_unknown_ruc_gets_an_invented_hint_always_the_same(house: House):
    pages = [text_of(house.client().post("/entrar/olvide-usuario", {"ruc": "8-888-888"})) for _ in range(2)]
    hints = [re.search(r"lo administra (\w••••@\w••••\.\w+)", page) for page in pages]
    assert all(hints)
    assert hints[0][1] == hints[1][1]  # type: ignore[index]
    known = text_of(house.client().post("/entrar/olvide-usuario", {"ruc": "155999991-2-2026"}))
    blank = [re.sub(r"\w••••@\w••••\.\w+|value=\"\w+\"", "", page) for page in (pages[0], known)]
    assert blank[0] == blank[1]
    assert len(house.mails) == 1


def test_without_mail_nothing_claims_that_one_was_sent(house: House):
    for where, given in (("olvide-usuario", {"ruc": "155999991-2-2026"}), ("olvide-clave", {"usuario": "ana"})):
        answer = text_of(house.client().post(f"/entrar/{where}", given))
        assert "Pida un enlace al administrador" in answer
        assert "enviamos" not in answer


@pytest.mark.parametrize("house", [{**MAIL, "web_user_hint": "mail"}], indirect=True)
def test_the_hint_can_be_left_out(house: House):
    answer = text_of(house.client().post("/entrar/olvide-usuario", {"ruc": "155999991-2-2026"}))
    assert "••••" not in answer
    assert len(house.mails) == 1


def test_s28_five_an_hour_from_one_address_are_the_most(house: House):
    client = house.client()
    answers = [client.post("/entrar/olvide-usuario", {"ruc": f"{number}-1-1"}).status_code for number in range(6)]
    assert answers == [200] * 5 + [429]
    house.later(hours=1, seconds=1)
    assert client.post("/entrar/olvide-usuario", {"ruc": "1-1-1"}).status_code == 200


# --- set-up


def empty(house: House) -> None:
    from pipeline.web.models import Link, Membership, Person, WebSession

    for kind in (Link, WebSession, Membership, Person):
        kind.objects.all().delete()


SET_UP = {"nombre": "Rita Sol", "correo": "rita@x.example", "usuario": "rita", "nueva": GOOD, "otra": GOOD}


def test_s16_the_first_administrator_is_made_once_within_half_an_hour(house: House):
    from pipeline.web.starting import set_up_address

    assert set_up_address() is None, "there are users"
    empty(house)
    first, second = set_up_address(), set_up_address()
    assert first
    assert second
    assert house.client().get(path_of(first)).status_code == 410, "a new one ends the old"
    client = house.client()
    assert client.get(path_of(second)).status_code == 200
    answer = client.post(path_of(second), {**SET_UP, "aprueba": "on"})
    assert answer.headers["Location"] == "/cuenta/segundo-factor", text_of(answer)
    assert roles(house, "rita") == roles(house, "rita", CANAL) == {"administrador", "aprobador"}
    assert house.client().get(path_of(second)).status_code == 410
    assert set_up_address() is None


def test_s16_a_set_up_address_ends_and_is_good_for_nothing_where_there_is_a_user(house: House):
    from pipeline.web.access import links
    from pipeline.web.models import LinkKind

    address, _ = links.make(LinkKind.SET_UP, by="terminal")
    answer = house.client().post(path_of(address), SET_UP)
    assert answer.status_code == 410
    assert "Este enlace ya se usó o venció. Ejecute anular web de nuevo." in text_of(answer)
    empty(house)
    address, _ = links.make(LinkKind.SET_UP, by="terminal")
    house.later(minutes=30)
    assert house.client().get(path_of(address)).status_code == 410


@pytest.mark.parametrize("changes", [{"env": Env.LAB}, {"web_url": "https://x.example"}])
def test_s16_sample_people_exist_in_the_sandbox_on_this_machine_alone(house: House, changes):
    from dataclasses import replace

    from pipeline.domain.errors import WrongUsage
    from pipeline.web import samples

    passwords = samples.make(house.site)
    assert passwords == {}, "real people have those names here"
    empty(house)
    first, second = samples.make(house.site), samples.make(house.site)
    assert set(first) == {"ana", "luis", "marta", "admin"}
    assert not set(first.values()) & set(second.values())
    assert enter(house.client(), "ana", second["ana"]).status_code == 302
    companies = {name: one.model_copy(update=changes) for name, one in house.site.companies.items()}
    base = house.site.settings.model_copy(update=changes)
    elsewhere = replace(house.site, companies=companies, settings=base, url=changes.get("web_url", house.site.url))
    with pytest.raises(WrongUsage, match="solo existen en el sandbox"):
        samples.make(elsewhere)
    assert samples.suspend(house.site) == 0
    assert samples.suspend(elsewhere) == 4
    assert enter(house.client(), "ana", second["ana"]).status_code == 422


# --- roles


def test_an_administrator_gives_and_takes_roles_and_it_is_in_the_log(house: House, admin):
    admin.post(f"/usuarios/{house.person('marta').pk}", {"hacer": "papeles", "papeles": ["preparador"]})
    assert roles(house, "marta") == {"preparador"}
    lines = [(one.event, one.who, one.about, one.detail) for one in house.audit() if one.event.startswith("papel")]
    assert lines == [("papel-quitado", "admin", "marta", "consulta"), ("papel-dado", "admin", "marta", "preparador")]


def test_nobody_changes_their_own_roles_or_suspends_themselves(house: House, admin):
    own = house.person("admin").pk
    answer = admin.post(f"/usuarios/{own}", {"hacer": "papeles", "papeles": ["administrador", "aprobador"]})
    assert (answer.status_code, roles(house, "admin")) == (409, {"administrador"})
    answer = admin.post(f"/usuarios/{own}", {"hacer": "suspender"})
    assert "No puede quitarse a sí mismo." in text_of(answer)


def test_the_last_active_administrator_stays(house: House, admin):
    from pipeline.web.access import people_rules

    invite(house, admin, papeles=["administrador"])
    with pytest.raises(people_rules.NotAllowed, match="último administrador"):
        people_rules.set_roles(house.person("rita"), house.person("admin"), ISTMO, [])
    with pytest.raises(people_rules.NotAllowed, match="último administrador"):
        people_rules.suspend(house.person("rita"), house.person("admin"))
    assert roles(house, "admin") == {"administrador"}


def test_s03_a_person_of_another_company_is_not_there(house: House, admin):
    for where in (f"/usuarios/{house.person('olga').pk}", "/usuarios/999999"):
        assert admin.get(where).status_code == 404
        assert admin.post(where, {"hacer": "suspender"}).status_code == 404
    assert "olga" not in text_of(admin.get("/usuarios"))
    assert admin.post("/empresa", {"empresa": CANAL}).status_code == 404
    assert admin.post("/empresa", {"empresa": "nada"}).status_code == 404


def test_links_and_suspension_are_for_people_whose_companies_one_all_administers(house: House, admin):
    from pipeline.web.models import Membership

    person = house.person("olga")
    Membership.objects.create(
        person=person, profile=ISTMO, role="consulta", given_by="admin", given_at=house.clock.now()
    )
    for what in ("suspender", "enlace", "sesiones"):
        answer = admin.post(f"/usuarios/{person.pk}", {"hacer": what})
        assert (answer.status_code, "no administra" in text_of(answer)) == (409, True), what
    admin.post(f"/usuarios/{person.pk}", {"hacer": "papeles", "papeles": ["preparador"]})
    assert roles(house, "olga") == {"preparador"}
    assert roles(house, "olga", CANAL) == {"preparador", "aprobador"}


@pytest.mark.parametrize("house", [OUTSIDE], indirect=True)
def test_outside_the_sandbox_a_second_administrator_confirms_who_may_approve(house: House):
    from pipeline.web.access import people_rules
    from pipeline.web.models import Membership

    admin, marta, luis = house.person("admin"), house.person("marta"), house.person("luis")
    people_rules.set_roles(admin, marta, ISTMO, [Role.APPROVER])
    assert roles(house, "marta") == {"aprobador"}, "there is no other administrator"
    people_rules.set_roles(admin, marta, ISTMO, [])
    Membership.objects.create(
        person=luis, profile=ISTMO, role="administrador", given_by="admin", given_at=house.clock.now()
    )
    people_rules.set_roles(admin, marta, ISTMO, [Role.APPROVER])
    assert roles(house, "marta") == set(), "it waits"
    with pytest.raises(people_rules.NotAllowed, match="otro administrador"):
        people_rules.confirm_role(admin, marta, ISTMO, Role.APPROVER)
    assert roles(house, "marta") == set()
    people_rules.confirm_role(luis, marta, ISTMO, Role.APPROVER)
    assert roles(house, "marta") == {"aprobador"}


def test_who_has_an_account_with_that_address_gets_the_roles_and_no_other_account(house: House, admin):
    from pipeline.web.models import Person

    before = Person.objects.count()
    given = {"nombre": "x", "correo": "OLGA@empresa.example", "usuario": "otra", "papeles": ["consulta"]}
    assert admin.post("/usuarios/invitar", given).status_code == 302
    assert Person.objects.count() == before
    assert roles(house, "olga") == {"consulta"}


@pytest.mark.parametrize("user", ["ana", "A b", "x", "a;b", "ñandú", "a" * 65, "-x-", "ana perez"])
def test_user_names_that_cannot_stand_in_a_ledger_or_are_taken_are_refused(house: House, admin, user):
    given = {"nombre": "x y", "correo": "nuevo@x.example", "usuario": user, "papeles": ["consulta"]}
    assert admin.post("/usuarios/invitar", given).status_code == 422


# --- requests


def ask(house: House, **given: Any) -> str:
    values = {
        "ruc": "155999991-2-2026",
        "nombre": "Rita Sol",
        "correo": "rita@x.example",
        "papel": "aprobador",
        **given,
    }
    answer = house.client().post("/entrar/solicitar", values)
    assert answer.status_code == 302, text_of(answer)
    return str(answer.headers["Location"])


def test_a_request_is_seen_by_its_company_and_answered_with_an_invitation(house: House, admin):
    where = ask(house)
    page = text_of(house.client().get(where))
    assert "22/11/2026 10:00 (48 horas)" in page
    assert "25/11/2026 10:00 (120 horas)" in page
    house.later(hours=51)
    admin = house.client("admin")
    page = text_of(admin.get("/usuarios"))
    assert "pasó el plazo habitual" in page
    number = re.search(r"solicitud=(\d+)", page)
    assert number
    assert 'value="Rita Sol"' in text_of(admin.get(f"/usuarios/invitar?solicitud={number[1]}"))
    invite(house, admin, solicitud=number[1], papeles=["aprobador"])
    assert "Invitación enviada" in text_of(house.client().get(where))
    assert "Rita Sol · " not in text_of(admin.get("/usuarios")).split("Usuarios de")[0]
    assert admin.get(f"/usuarios/invitar?solicitud={number[1]}").status_code == 404


def test_a_request_is_refused_with_a_reason_that_the_applicant_sees(house: House, admin):
    where = ask(house)
    number = re.search(r"solicitudes/(\d+)", text_of(admin.get("/usuarios")))
    assert number
    assert admin.post(f"/usuarios/solicitudes/{number[1]}", {"motivo": "no"}).status_code == 422
    assert admin.post(f"/usuarios/solicitudes/{number[1]}", {"motivo": "No trabaja aquí"}).status_code == 302
    page = text_of(house.client().get(where))
    assert "Rechazada" in page
    assert "Motivo: No trabaja aquí" in page


def test_s13_a_request_for_an_unknown_ruc_looks_the_same_and_nobody_sees_it(house: House, admin):
    pages = [text_of(house.client().get(ask(house, ruc=ruc))) for ruc in ("155999991-2-2026", "8-888-888")]
    assert pages[0] == pages[1]
    assert "Solicitudes (1)" in text_of(admin.get("/usuarios"))


def test_after_the_longest_time_the_applicant_sees_where_to_call(house: House):
    where = ask(house)
    assert "Pasó el plazo" not in text_of(house.client().get(where))
    house.later(hours=120, seconds=1)
    assert "Pasó el plazo" in text_of(house.client().get(where))


@pytest.mark.parametrize("house", [MAIL], indirect=True)
def test_administrators_are_reminded_once_after_the_usual_time(house: House):
    from pipeline.web.access.requests import remind

    ask(house)
    ask(house, ruc="8-888-888")
    assert remind(house.clock.now()) == 0
    house.later(hours=48)
    assert [remind(house.clock.now()), remind(house.clock.now())] == [1, 0]
    assert [mail.to for mail in house.mails] == ["admin@empresa.example"]


# --- the log


def test_s24_the_log_shows_the_company_its_own_and_nothing_can_be_changed(house: House, admin, marta):
    from django.db import DatabaseError, transaction

    from pipeline.web.models import AuditEvent

    enter(house.client(), "olga")
    enter(house.client(), "ana", "no es esta")
    page = text_of(marta.get("/bitacora"))
    assert "ana" in page
    assert "olga" not in page
    for change in (lambda: AuditEvent.objects.update(ok=True), lambda: AuditEvent.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    text = marta.get("/bitacora.csv").content.decode("utf-8-sig")
    assert text.splitlines()[0] == '"Cuándo","Quién","Dirección","Qué","Sobre","Resultado"'
    assert house.audit("bitacora-csv")[0].who == "marta"


def test_a_name_that_is_a_formula_is_none_in_the_csv(house: House, admin):
    ask(house, nombre="=1+1")
    text = admin.get("/bitacora.csv").content.decode("utf-8-sig")
    assert '"\'=1+1: aprobador"' in text


def test_s02_s24_a_refusal_is_in_the_log(house: House, ana):
    assert ana.get("/usuarios").status_code == 403
    assert ana.get("/bitacora").status_code == 403
    lines = [(one.who, one.about, one.profile, one.ok) for one in house.audit("sin-permiso")]
    assert lines == [("ana", "people", ISTMO, False), ("ana", "log", ISTMO, False)]


def test_s23_what_people_typed_is_text(house: House, admin):
    ask(house, nombre="<script>alert(1)</script>")
    page = text_of(admin.get("/usuarios"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_s25_an_error_has_a_number_that_is_in_the_technical_log_and_no_trace(house: House, ana, monkeypatch):
    from dataclasses import replace

    from pipeline.web import urls

    def broken(_request: Any) -> Any:
        raise RuntimeError("una clave secreta")

    pattern = next(one for one in urls.urlpatterns if one.name == "account")
    monkeypatch.setattr(pattern, "callback", broken)
    monkeypatch.setitem(urls.ROUTES, "account", replace(urls.ROUTES["account"], view=broken))
    answer = ana.get("/cuenta")
    assert answer.status_code == 500
    number = re.search(r"<code>(\w{8})</code>", text_of(answer))
    assert number
    assert "secreta" not in text_of(answer)
    assert "Traceback" not in text_of(answer)
    assert [facts["number"] for event, facts in house.lines if event == "web_error"] == [number[1]]
