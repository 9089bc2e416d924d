"""Walking through pages by their links, one of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from playwright.sync_api import Page

_LINKS = "() => [...document.querySelectorAll('a[href]')].map((one) => one.href)"


def crawl(
    page: Page, starts: list[str], kind_of: Callable[[str], str], always: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Open pages one after another and give (kind, address) of each while it is open.

    kind_of: the kind of page behind an address, or "" for one that is not followed. One page of each kind is opened,
        and those addresses that are in ``always``.
    """
    waiting, known, opened = list(starts), set(starts), set[str]()
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if not kind or (kind in opened and address not in always):
            continue
        opened.add(kind)
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, (address, answer.status)
        links = [re.sub("#.*", "", link) for link in page.evaluate(_LINKS)]
        waiting += [link for link in dict.fromkeys(links) if link not in known]
        known.update(links)
        yield kind, address
