"""Photos taken at the door (凭证照片): how large they may be, how many, and in which parts they come."""

from __future__ import annotations

import re
from dataclasses import dataclass

from recycling.errors import InvalidInput, TooLarge

LARGEST_PROOF = 20 << 20  # 20 MiB as sent: a phone's best camera at its best setting
LARGEST_PART = 5 << 20  # 5 MiB at once: what is lost when a connection breaks is sent again
MOST_PROOFS = 12  # of one booking, those under way included: before, after, type plates, the rest that stays

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
RANGE = re.compile(r"bytes ([0-9]{1,12})-([0-9]{1,12})/([0-9]{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes ``first`` to ``last``, both inclusive, of a file of ``total``."""

    first: int
    last: int
    total: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.last - self.first + 1


def read_part(content_range: str | None, *, size: int) -> Part:
    """The part that a request brings; without ``Content-Range`` it is the whole file.

    Parameters
    ----------
    content_range
        ``bytes 0-1048575/4194304``.
    size
        Bytes of the body.

    Raises
    ------
    InvalidInput
        When there is nothing in it, or the range is no range or not that of the body.
    TooLarge
        When the file is larger than is taken.
    """
    if not size:
        raise InvalidInput("the body is empty; send the photo or a part of it / 照片内容为空，请重新上传")
    if content_range is None:
        return Part(first=0, last=size - 1, total=size)
    found = RANGE.fullmatch(content_range.strip())
    if found is None:
        raise InvalidInput(
            f"Content-Range is {content_range[:40]!r}; send e.g. bytes 0-1048575/4194304 / Content-Range 格式不正确"
        )
    part = Part(first=int(found[1]), last=int(found[2]), total=int(found[3]))
    if part.total > LARGEST_PROOF:
        raise TooLarge(
            f"the photo has {part.total} bytes, {LARGEST_PROOF} are taken; send it smaller"
            f" / 照片超过 {LARGEST_PROOF >> 20} MB，请缩小后重新上传"
        )
    if part.size != size or not part.first <= part.last < part.total:
        raise InvalidInput(
            f"Content-Range {content_range[:60]!r} is not that of a body of {size} bytes; count both ends in"
            " / Content-Range 与内容长度不符"
        )
    return part


def check_sha256(text: str) -> str:
    """A digest of 64 small hexadecimal digits, as it came.

    Raises
    ------
    InvalidInput
        When it is none.
    """
    if not SHA256.fullmatch(text):
        raise InvalidInput(
            f"{text[:80]!r} is no SHA-256; name the photo by 64 hexadecimal digits, small letters"
            " / 照片编号应为 64 位小写十六进制的 SHA-256"
        )
    return text
