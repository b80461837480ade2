"""Every kind of message that the code posts has words, and the facts it is posted with fill them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from recycling.errors import InvalidInput
from recycling.policy.district import District
from recycling.usecases.messages.still_true import STATE_TOLD
from recycling.usecases.messages.texts import DAYTIME_KINDS, OPTIONAL_KINDS, WORDINGS, render
from tests.conftest import ROOT

TELLERS = ("tell_resident", "tell_staff")


def posts() -> Iterator[tuple[str, re.Pattern[str], set[str] | None]]:
    """Each call of ``post`` as (file and line, pattern of its kind, names of its facts, ``None`` when not literal).

    ``tell_resident`` and ``tell_staff`` post for their callers: those calls are read instead, with what the first adds.
    """
    calls = [(path, call) for path, tree in _trees() for call in _calls(tree, "post", *TELLERS)]
    own, staffs_own = (_calls(_function(name), "post")[0] for name in TELLERS)
    added = _names(_given(own)["facts"])
    assert added, "tell_resident: write the facts out, so that this test can read them"
    for path, call in calls:
        given, where = _given(call), f"{path.name}:{call.lineno}"
        if _called(call) == "tell_resident":
            yield where, _pattern(given["kind"]), added | (given.keys() - {"kind", "now"})
        elif call not in (own, staffs_own):
            yield where, _pattern(given["kind"]), _names(given["facts"], path)


def _function(name: str) -> ast.FunctionDef:
    (found,) = (
        node
        for _, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return found


@cache
def _trees() -> list[tuple[Path, ast.Module]]:
    files = sorted((Path(ROOT) / "recycling").rglob("*.py"))
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in files]


def _calls(tree: ast.AST, *names: str) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in names]


def _called(call: ast.Call) -> str | None:
    return call.func.id if isinstance(call.func, ast.Name) else None


def _given(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}


def _names(facts: ast.expr, path: Path | None = None) -> set[str] | None:
    if isinstance(facts, ast.Name) and path is not None:
        facts = _assigned(facts, path) or facts
    if isinstance(facts, ast.BinOp):  # one put together of two
        parts = [_names(part, path) for part in (facts.left, facts.right)]
        return None if None in parts else set().union(*(part for part in parts if part))
    if not isinstance(facts, ast.Dict):
        return None
    return {str(key.value) for key in facts.keys if isinstance(key, ast.Constant)}


def _assigned(name: ast.Name, path: Path) -> ast.expr | None:
    """What was last written to a name above the line where it is read."""
    (tree,) = (tree for where, tree in _trees() if where == path)
    written = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.lineno < name.lineno
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == name.id
    ]
    return max(written, key=lambda one: one[0])[1] if written else None


def _pattern(kind: ast.expr) -> re.Pattern[str]:
    """A constant kind as itself; an f-string with anything for its parts."""
    if isinstance(kind, ast.Constant):
        return re.compile(re.escape(str(kind.value)))
    assert isinstance(kind, ast.JoinedStr), ast.dump(kind)
    parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in kind.values)
    return re.compile("".join(parts))


def test_every_posted_kind_has_words_that_its_facts_fill(district: District) -> None:
    values = {
        "day": "2026-11-24", "pickup_window": "08-10", "expected_s": 29_700, "booking_ids": ["1", "2"],
        "until": "2026-11-24T01:00:00+00:00", "stored_g": 18_000_001, "limit_g": 20_000_000, "lots": 3,
        "alternatives": [{"day": "2026-11-25", "pickup_window": "10-12"}],
        "anchor": {"number": 1, "audit": [3, "m"], "mac": "m"}, "due_at": "2026-11-24T01:00:00+00:00",
    }  # fmt: skip
    seen = set()
    for where, kind, names in posts():
        kinds = [known for known in WORDINGS if kind.fullmatch(known)]
        assert kinds, f"{where}: no words for {kind.pattern}"
        assert names is not None, f"{where}: write the facts out, so that this test can read them"
        for known in kinds:
            assert "booking_id" not in names or known in STATE_TOLD, f"{where}: say when {known} is no longer true"
            render(known, {name: values.get(name, name) for name in names}, district=district)
        seen.update(kinds)
    assert seen == set(WORDINGS), "words that nobody posts"


@pytest.mark.parametrize("kind", WORDINGS)
def test_each_text_has_chinese_before_english(kind: str) -> None:
    wording = WORDINGS[kind]
    assert re.search(r"[一-鿿]", wording.zh)
    assert not re.search(r"[一-鿿]", wording.en)


def test_times_and_lists_are_told_as_people_read_them(district: District) -> None:
    # 29,700 s after midnight are 8.25 h.
    facts = {"day": "2026-11-24", "pickup_window": "08-10", "expected_s": 29_700}
    assert "预计 08:15 左右到达" in render("plan.window_confirmed", facts, district=district)
    left = {"plan_id": "p", "day": "2026-12-06", "booking_ids": ["a", "b", "c"]}
    text = render("plan.unassigned", left, district=district)
    assert "12月6日（周日） 的计划有 3 个预约未排入" in text
    assert "Sun 6 Dec leaves out 3 bookings" in text


def test_a_window_that_has_left_the_configuration_is_told_by_its_key(district: District) -> None:
    facts = {"day": "2026-11-24", "pickup_window": "22-24"}
    assert "22-24 上门回收" in render("booking.cancelled", facts | {"booking_id": "b"}, district=district).replace(
        "的", ""
    )


def test_what_nobody_waits_for_is_not_told_at_night() -> None:
    visits = {"visit.collected", "visit.partly_collected", "visit.failed", "visit.missed"}
    reminders = {"booking.reminder", "booking.early_reminder"}
    waits = {"waiting.offered", "waiting.ended", "recurring.left_out"}
    staff = {"goal.behind_pace", "stock.aged"}
    assert set(DAYTIME_KINDS) == {"plan.window_confirmed", "plan.left_out"} | reminders | visits | waits | staff


def test_reminders_and_advice_may_be_declined_and_nothing_that_was_agreed() -> None:
    assert set(OPTIONAL_KINDS) == {
        "booking.reminder", "booking.early_reminder", "visit.on_the_way", "visit.collected",
    }  # fmt: skip


def test_a_failed_visit_is_told_with_its_reason_in_words(district: District) -> None:
    facts = {"booking_id": "b", "day": "2026-11-24", "reason": "nobody_home"}
    text = render("visit.failed", facts, district=district)
    assert "（原因：无人应答）" in text
    assert "could not be done (reason: Nobody home)." in text


def test_an_unknown_kind_names_the_file_to_mend(district: District) -> None:
    with pytest.raises(InvalidInput, match=r"texts\.py"):
        render("booking.eaten", {}, district=district)
