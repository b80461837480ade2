"""Walks through every page somebody can reach by links, each kind of page once, and looks it over."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.pages.screens import Visit

OPEN_TO_ALL = ("/", "/pages/sign-in", "/privacy")
# What differs between two pages of one kind: ids, days, links that are secrets. Queries do not make another page.
VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d{2}(?:-\d{2})?|(?<=/track/)[^/]+|(?<=/receipt/)[^/]+")
NO_PAGE = re.compile(r"^/pages/(?:language|sign-out)|\.(?:pdf|csv|xlsx|json|gpx|ics|js|webmanifest)$")
LINKS = "[...document.querySelectorAll('a[href]')].map((link) => link.href)"
ZOOMED = (640, 512)  # a window of 1280 x 1024 at 200 %: as many CSS pixels, by WCAG 1.4.4


@dataclass(slots=True)
class Findings:
    """What was seen; a list that is empty says that nothing was wrong there."""

    kinds: set[str] = field(default_factory=set)
    looks: int = 0
    grave: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loose_policies: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take in what somebody else saw."""
        self.kinds |= other.kinds
        self.looks += other.looks
        for name in ("grave", "complaints", "loose_policies", "too_wide"):
            getattr(self, name).extend(getattr(other, name))


def walked(
    visit: Visit, starts: Iterable[str], *, looks: Sequence[tuple[str, tuple[int, int]]], but: Set[str] = frozenset()
) -> Findings:
    """Follow the links of the pages from some addresses on; look at each kind of page in these languages and sizes.

    Kinds in ``but`` are passed by.
    """
    found, waiting = Findings(), deque(starts)
    while waiting:
        path = waiting.popleft()
        kind = VARYING.sub("…", urlsplit(path).path)
        if kind in found.kinds or kind in but or NO_PAGE.search(kind):
            continue
        if not _is_page(visit, path):
            continue
        found.kinds.add(kind)
        for lang, size in looks:
            visit.read(lang=lang, size=size)
            _look(visit, path, f"{kind} {lang} {size[0]}", found)
        waiting.extend(_own_links(visit))
    found.complaints = visit.unexpected()
    return found


def _is_page(visit: Visit, path: str) -> bool:
    """Whether an address answers with HTML; asked for by the same browser, without opening it."""
    answer = visit.context.request.get(visit.address + path, max_redirects=0)
    return answer.ok and answer.headers.get("content-type", "").startswith("text/html")


def _look(visit: Visit, path: str, name: str, found: Findings) -> None:
    answer = visit.page.goto(visit.address + path)
    visit.page.wait_for_selector('main:not([aria-busy="true"])')
    found.looks += 1
    policy = answer.headers.get("content-security-policy", "") if answer is not None else ""
    if "default-src 'self'" not in policy or "unsafe-" in policy:
        found.loose_policies.append(f"{name}: {policy}")
    found.grave += [f"{name}: {one}" for one in visit.grave_findings()]
    if (overflow := visit.overflow_px()) > 0:
        found.too_wide.append(f"{name}: {overflow} px")


def _own_links(visit: Visit) -> list[str]:
    here = urlsplit(visit.address).netloc
    links = [urlsplit(link) for link in visit.page.evaluate(LINKS)]
    return [
        link.path + (f"?{link.query}" if link.query else "")
        for link in links
        if link.netloc == here and link.path.startswith("/pages/")
    ]
