"""What the screens have in common: the reader children, names of people, downloads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from pipeline.approvals import uploads
from pipeline.approvals.places import Places
from pipeline.approvals.readers import CHECK
from pipeline.approvals.scan import scan
from pipeline.approvals.store import PROGRAM, Proposals
from pipeline.domain.errors import StorageTrouble
from pipeline.web.headers import SANDBOX
from pipeline.web.models import Membership, Person, PersonState
from pipeline.web.roles import Role
from pipeline.web.site import Site, site
from pipeline.web.texts import review as words

if TYPE_CHECKING:
    from pipeline.approvals.readers import Reading
    from pipeline.settings.model import Settings
    from pipeline.web.company import Company


def readers() -> Reading:
    """Reader children of this process. Raises ``StorageTrouble`` where it has none."""
    found = site().readers
    if found is None:
        raise StorageTrouble("Esta página no puede leer archivos ahora.", code="web-readers")
    return found


def check_left_over(here: Site) -> None:
    """Has uploads checked whose check was cut off, and deletes files past their time; when the pages start."""
    asked = here.readers
    for settings in here.companies.values():
        store = Proposals(here.office, settings.profile, str(settings.env), hours=settings.web_proposal_h)
        uploads.forget_files(store, here.now(), settings.web_keep_days)
        if asked is not None:
            for one in uploads.to_check(store):
                asked.ask(settings, CHECK, str(one.id))


def places(company: Company) -> Places:
    """Private folder of what can be made again."""
    return Places.of(company.settings)


def scanned(settings: Settings, given: Any) -> bytes:
    """Bytes of a file that a form was given, once the office's scanner has seen them. Raises like ``scan``."""
    data = bytes(given.read())
    scan(settings.web_scan, data, uploads.clean_name(given.name))
    return data


def approvers(company: Company, but: Iterable[str]) -> str:
    """Names of the people who may approve in a company, without those ``but`` (user names); empty for none."""
    found = Membership.objects.filter(
        profile=company.profile, role=Role.APPROVER.value, person__state=PersonState.ACTIVE
    ).exclude(person__username__in=list(but))
    return ", ".join(found.order_by("person__name").values_list("person__name", flat=True))


def named(users: Iterable[str]) -> dict[str, str]:
    """Name of each user name; a name of a terminal stands for itself."""
    wanted = {user for user in users if user}
    found = dict(Person.objects.filter(username__in=wanted).values_list("username", "name"))
    return {user: found.get(user, words.PROGRAM if user == PROGRAM else user) for user in wanted}


def attachment(file: Path, mime: str, name: str = "") -> Any:
    """A file as a download, by its own name."""
    return download(file.read_bytes(), mime, name or file.name)


def download(data: bytes, mime: str, name: str) -> Any:
    """Bytes as a download."""
    answer = HttpResponse(data, content_type=mime)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    answer["Content-Security-Policy"] = SANDBOX
    return answer
