"""Whether a mass can be that of the goods named with it: a slip at the scale must not become a recovered figure."""

from __future__ import annotations

from recycling.errors import InvalidInput
from recycling.units import kg_text

# Item types span makes and sizes: a tablet or a side-by-side model is a few times its type's mean, a stripped shell a
# fraction of it. A factor of ten is beyond all of these and is what a slip of a decimal or of kg for g makes (ours).
FACTOR = 10
# One division of a truck scale (ours): no reading of it is nearer the truth, and a phone on it may show 5 kg.
SLACK_G = 5_000


def check_plausible(mass_g: int, *, table_g: int, goods: str, fields: str) -> None:
    """Refuse a mass that is out of all proportion to what the type table gives the same goods.

    Parameters
    ----------
    mass_g
        Grams that the scale gave the goods.
    table_g
        Grams of the type table times units.
    goods
        The goods in words, for the message: units and item types.
    fields
        What the mass was worked out from, for the message.

    Raises
    ------
    InvalidInput
        When the mass is above 10 times the table's plus 5 kg, or below a tenth of it less 5 kg.
    """
    most_g = FACTOR * table_g + SLACK_G
    least_g = max(0, -(-table_g // FACTOR) - SLACK_G)
    if not least_g <= mass_g <= most_g:
        raise InvalidInput(
            f"{kg_text(mass_g)} for {goods} cannot be: by the type table it is about {kg_text(table_g)}, and"
            f" {kg_text(least_g)} to {kg_text(most_g)} are taken; check {fields}, the units and the item type"
            f" / {goods} 重 {kg_text(mass_g)} 不合常理（品类表约 {kg_text(table_g)}，可接受 {kg_text(least_g)} 至"
            f" {kg_text(most_g)}），请核对读数、件数与品类"
        )
