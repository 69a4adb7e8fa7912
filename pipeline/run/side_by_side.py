"""Companies side by side: the work of one command for many companies, each in a thread of its own.

Most of a company's time is spent waiting for its own rate. Two that share what only one can own at a time, a ledger in
a file or a credential, work one after the other, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from pipeline.domain.errors import AnularError
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.settings.model import Env, Settings, addresses
from pipeline.wiring.credentials import user_of

MOST = 16
"""Companies at the same time: as many sessions of a server, and some more."""
T = TypeVar("T")
R = TypeVar("R")


def owns(settings: Settings) -> set[str]:
    """What a company's work has to have for itself: two that share any of it work one after the other."""
    own_sandbox = settings.env is Env.SANDBOX and not settings.base_url
    found = set() if is_on_a_server(settings.ledger) and not own_sandbox else {f"ledger {settings.ledger}"}
    try:
        return {
            *found,
            f"credential {settings.env} {'' if own_sandbox else addresses(settings)[0]} {user_of(settings)}",
        }
    except AnularError:
        return found  # without a user nothing is sent or queried


def chains(owned: Sequence[Collection[str]]) -> list[list[int]]:
    """Numbers of the companies that own these things: in each chain those that share any, in their order."""
    chain_of: dict[str, list[int]] = {}
    found: list[list[int]] = []
    for number, things in enumerate(owned):
        together: list[list[int]] = []
        for thing in things:
            if (chain := chain_of.get(thing)) is not None and not any(chain is one for one in together):
                together.append(chain)
        merged = sorted([number, *(one for chain in together for one in chain)])
        found = [chain for chain in found if not any(chain is one for one in together)]
        found.append(merged)
        for other in range(number + 1):
            if other in merged:
                chain_of |= dict.fromkeys(owned[other], merged)
    return found


def side_by_side(
    companies: Sequence[T], owned: Sequence[Collection[str]], work: Callable[[T], R], *, most: int = MOST
) -> Iterator[tuple[int, R]]:
    """Number and result of each company's ``work``, as they end. What ``work`` raises is raised here, when all those
    that were begun have ended."""

    def one_after_the_other(chain: list[int]) -> list[tuple[int, R]]:
        return [(number, work(companies[number])) for number in chain]

    with ThreadPoolExecutor(most, thread_name_prefix="empresa") as pool:
        begun = [pool.submit(one_after_the_other, chain) for chain in chains(owned)]
        for done in as_completed(begun):
            yield from done.result()
