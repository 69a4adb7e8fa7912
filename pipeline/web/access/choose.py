"""Choice of the company."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect

from pipeline.web.company import company_for
from pipeline.web.middleware import CHOSEN


def choose(request: Any) -> Any:
    """`/empresa`: another company's number is not found, as one that does not exist."""
    request.session[CHOSEN] = company_for(request.user, str(request.POST.get("empresa", ""))).profile
    return HttpResponseRedirect("/")
