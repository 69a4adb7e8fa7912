"""Mails about accounts, to one person each: sent in the background, so that who asked learns nothing from the time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from pipeline import notify
from pipeline.domain.deadline import PANAMA
from pipeline.settings.model import Settings
from pipeline.web.site import Mail, site

MOST_WAITING = 1000


def send(to: str, subject: str, text: str, **values: Any) -> bool:
    """Hands a mail over; False where no mail is set up."""
    post = site().send
    if post is None:
        return False
    told = {name: when(value) if isinstance(value, datetime) else value for name, value in values.items()}
    post(Mail(to, subject.format(**told), text.format(**told)))
    return True


def when(moment: datetime) -> str:
    """A moment in a mail, in Panama."""
    return f"{moment.astimezone(PANAMA):%d/%m/%Y %H:%M}"


class Post:
    """Mails of one process, sent one after the other by a thread; ``log`` gets those that no server took."""

    def __init__(self, settings: Settings, log: Callable[[str, Mapping[str, Any]], None]) -> None:
        # Nothing but the mail: a webhook is told of batches, not of a person's link.
        self._settings = settings.model_copy(update={"webhook_url": "", "mail_attach": "off"})
        self._log = log
        self._waiting: queue.Queue[Mail | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._serve, name="correo", daemon=True)
        self._thread.start()

    def __call__(self, mail: Mail) -> None:
        try:
            self._waiting.put_nowait(mail)
        except queue.Full:
            self._log("web_mail_lost", {"subject": mail.subject})

    def close(self, seconds: float) -> None:
        """Waits until what was handed over is sent, at most ``seconds``."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
            self._thread.join(seconds)

    def _serve(self) -> None:
        while (mail := self._waiting.get()) is not None:
            settings = self._settings.model_copy(update={"mail_to": frozenset({mail.to})})
            for warning in notify.send(settings, notify.Notification(mail.subject, mail.text.split("\n"), {})):
                self._log("web_mail_lost", {"subject": mail.subject, "why": warning})


def post_of(settings: Settings, log: Callable[[str, Mapping[str, Any]], None]) -> Post | None:
    """Sender of mails; None where no mail server is set up."""
    return Post(settings, log) if settings.mail_host else None
