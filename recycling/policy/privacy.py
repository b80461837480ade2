"""What is collected, why, how long it is kept and who sees it (隐私告知): the one place of every retention rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

# What housekeeping removes by age, and the fewest days of each. Sign-ins are part of the network log, six months at
# least (Cybersecurity Law, art. 21), with room; a phone may be offline for weeks before it repeats a request; the
# longest period that attempts are counted over is a day. A picture of a weighing is evidence beside the register of
# goods, which for metal of factories is kept two years (再生资源回收管理办法, art. 9).
LEAST_DAYS: Mapping[str, int] = {
    "one-time-codes": 1,
    "idempotency-keys": 30,
    "attempt-counters": 2,
    "sign-ins": 190,
    "places": 30,
    "plans": 30,
    "field-words": 30,
    "rating-words": 30,
    "absence-reasons": 30,
    "photos": 30,
    "proof-photos": 60,
    "ticket-photos": 730,
    "door-codes": 60,
    "waiting-wishes": 1,
    "tentative-routes": 1,
    "sms-receipts": 190,
    "resident-lookups": 190,
    "erasures": 190,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeHead:
    """Who answers for the data, since when the notice stands, and what people may ask for.

    Raises
    ------
    ValueError
        When the version is below 1.
    """

    version: int
    valid_from: date
    handler_zh: str
    handler_en: str
    contact_zh: str
    contact_en: str
    rights_zh: str
    rights_en: str

    def __post_init__(self) -> None:
        if self.version < 1:
            raise ValueError(f"version = {self.version} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """One kind of personal data.

    Parameters
    ----------
    key
        Its name; one of `LEAST_DAYS` when housekeeping removes it by age.
    kept_zh, kept_en
        From when it is counted, or what ends it.
    kept_days
        Days until housekeeping removes it; ``None`` when something else ends it, which ``kept_zh`` says.

    Raises
    ------
    ValueError
        When the days and the key do not belong together, or are fewer than the law or the work asks for.
    """

    key: str
    name_zh: str
    name_en: str
    purpose_zh: str
    purpose_en: str
    basis_zh: str
    basis_en: str
    seen_by_zh: str
    seen_by_en: str
    kept_zh: str
    kept_en: str
    kept_days: int | None = None

    def __post_init__(self) -> None:
        least = LEAST_DAYS.get(self.key)
        if (least is None) != (self.kept_days is None):
            raise ValueError(
                f"kept_days = {self.kept_days}: housekeeping removes exactly {', '.join(LEAST_DAYS)} by age;"
                " give those their days, and no others"
            )
        if least is not None and self.kept_days is not None and not least <= self.kept_days <= 3650:
            raise ValueError(f"kept_days = {self.kept_days} must be {least} to 3650")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyNotice:
    """The notice in force.

    Raises
    ------
    ValueError
        When a kind that housekeeping removes is not in it.
    """

    head: NoticeHead
    data: Mapping[str, Datum]

    def __post_init__(self) -> None:
        missing = [key for key in LEAST_DAYS if key not in self.data]
        if missing:
            raise ValueError(f"no row for {', '.join(missing)}; add one each, with its kept_days")

    def kept(self, key: str) -> timedelta:
        """How long housekeeping lets a kind be."""
        days = self.data[key].kept_days
        if days is None:
            raise ValueError(f"{key!r} is not kept by age; ask for one of {', '.join(LEAST_DAYS)}")
        return timedelta(days=days)
