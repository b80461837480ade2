"""The values in force: everything accepted so far, else as configured."""

from __future__ import annotations

from datetime import date

from recycling.policy.district import District
from recycling.policy.handling import AS_ESTIMATED_BP, TRAVEL, item_part
from recycling.policy.service_time import RULE_PARTS


def configured_values(district: District, *, day: date) -> dict[str, int]:
    """The values of ``config/`` by name: the rule's parts, the item types in force on a day, travel as estimated."""
    rule = {part: int(getattr(district.service_time, part)) for part in RULE_PARTS}
    items = {item_part(kind.key): kind.handling_s for kind in district.catalogue.valid_on(day)}
    return rule | items | {TRAVEL: AS_ESTIMATED_BP}


def present_values(district: District, *, day: date) -> dict[str, int]:
    """The same with everything accepted on top, whether or not its first day has come.

    A proposal goes on from there: what was accepted yesterday for tomorrow shall not be proposed again.
    """
    values = configured_values(district, day=day)
    tables = district.handling.tables
    if tables:
        newest = max(tables, key=lambda table: table.number)
        values |= {name: seconds for name, seconds in newest.seconds.items() if name in values}
        values[TRAVEL] = newest.travel_bp or AS_ESTIMATED_BP
    return values
