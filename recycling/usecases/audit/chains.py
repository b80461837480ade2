"""Walk a chain of macs from its start to its head and name what does not fit (核验链)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from recycling.usecases.audit.findings import Finding, Kind, span

Claims = Mapping[int, str]  # by number of a row: its mac, in hexadecimal, as an anchor saw it


@dataclass(slots=True, kw_only=True)
class Walk:
    """Where a walk stands: the number it has reached and the macs that the next row may vouch for.

    Parameters
    ----------
    kind, head_kind
        What its rows and its head are called.
    label
        What stands before a row's number, such as ``lincheng/1/``.
    last, befores
        The number and mac that the walk starts behind. Two macs when a row does not fit its own: the one that it
        shows and the one it should have, so that a row with another mac is not blamed on the next.
    unvouched
        Whether rows at the start may have no mac, as tickets from before there were macs.
    """

    kind: Kind
    head_kind: Kind
    label: str
    claims: Claims
    last: int = 0
    befores: tuple[bytes, ...] = (b"",)
    unvouched: bool = False
    steps: int = 0

    def step(self, number: int, mac: bytes, digest: Callable[[bytes], bytes]) -> Iterator[Finding]:
        """Go on to the next row; ``digest`` makes its mac of the mac before it."""
        self.steps += 1
        if number <= self.last:
            yield self._finding(str(number), "编号越界 / has a number that nobody gave")
            return
        follows = number == self.last + 1
        fits = True
        befores: tuple[bytes, ...] = (mac,)
        if not follows:
            yield self._finding(span(self.last + 1, number - 1), "编号缺失 / missing in the middle of the chain")
        elif not (self.unvouched and mac == b"" and self.befores == (b"",)):
            made = [digest(before) for before in self.befores]
            fits = mac in made
            befores = (mac,) if fits else (mac, made[0])
        claimed = self.claims.get(number)
        if not fits:
            yield self._finding(str(number), "内容与校验码不符 / is not what its mac vouches for, or not in its place")
        elif claimed is not None and claimed != mac.hex():
            yield self._finding(str(number), "与锚定时不同 / is not the row that an anchor saw")
        self.last, self.befores = number, befores

    def end(self, head: tuple[int, bytes] | None) -> Iterator[Finding]:
        """Compare the last row with the head and with the highest number that an anchor saw."""
        head_number, head_mac = head or (0, b"")
        seen = max(self.claims, default=0)
        if max(head_number, seen) > self.last:
            known_by = "表头 / the head" if head_number >= seen else "锚定 / an anchor"
            yield self._finding(
                span(self.last + 1, max(head_number, seen)), f"末尾被删除 / cut off the end; known by: {known_by}"
            )
        if head_number < self.last:
            what = "不存在 / is gone" if head is None else f"编号为 {head_number} / stands at {head_number}"
            yield self._head(f"{what}, {self.last} rows stand")
        elif head_number == self.last and head_mac not in self.befores[:1]:
            yield self._head("校验码与末行不符 / has another mac than the last row")

    def unreadable(self) -> Finding:
        """What is said when the next row cannot even be read."""
        return self._finding(str(self.last + 1), "无法读取 / this row or one soon after it cannot be read")

    def _finding(self, row: str, what: str) -> Finding:
        return Finding(kind=self.kind, row=f"{self.label}{row}", what=what)

    def _head(self, what: str) -> Finding:
        return Finding(kind=self.head_kind, row=self.label.rstrip("/") or "head", what=f"表头 / the head: {what}")
