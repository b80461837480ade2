"""Booking a pickup, step by step: items and estimate are open to all, the address needs a resident."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flask import current_app, render_template, url_for

from recycling.clock import service_day, utc_now
from recycling.policy.access import Principal
from recycling.policy.catalogue import CONDITIONS, ItemType
from recycling.policy.district import District
from recycling.policy.photos import KEPT_SIDE, LARGEST_PHOTO, MEDIA_TYPES, MOST_PHOTOS
from recycling.policy.price_estimate import CONDITION_WORDS
from recycling.routes.context import configured
from recycling.routes.pages.guard import PageBlueprint, visitor

bp = PageBlueprint("page_book", __name__, roles=None, url_prefix="/pages/book")

SPRITE = "book/items.svg"
_sprite = (Path(__file__).resolve().parents[2] / "static" / SPRITE).read_text(encoding="utf-8")
PICTURES = frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', _sprite))
ANY_PICTURE = "box"  # of a type that was added to the catalogue without one

# What most people come with: shown at once, the rest on asking.
COMMON = frozenset(
    {
        "fridge", "washer-top", "washer-drum", "tv-flat", "ac-split", "range-hood", "water-heater-electric",
        "computer-desktop", "microwave", "sofa-three", "mattress-150", "bed-double", "wardrobe-two", "table-dining",
        "chair-dining",
    }
)  # fmt: skip

# What a script needs to know of photos that it makes small.
PHOTO_RULES = {"most": MOST_PHOTOS, "side": KEPT_SIDE, "largest": LARGEST_PHOTO, "types": MEDIA_TYPES}


@bp.get("")
def show() -> str:
    """Show the steps; which one stands in the address, for the script alone."""
    viewer, facts = visitor(), configured()
    return render_template("book/book.html", facts=_facts(facts, viewer))


def _facts(facts: District, viewer: Principal | None) -> dict[str, Any]:
    """What the script needs to know before anybody has said anything."""
    network = facts.network
    return {
        "role": viewer.role if viewer is not None else None,
        "viewer": str(viewer.id) if viewer is not None else None,
        "geocoder": current_app.extensions["geocoder"].name != "none",
        "sprite": url_for("static", filename=SPRITE),
        "item_types": [_item(kind) for kind in facts.catalogue.valid_on(service_day(utc_now()))],
        "conditions": [[key, *CONDITION_WORDS[key]] for key in CONDITIONS],
        "windows": [
            {
                "key": window.key, "zh": window.name_zh, "en": window.name_en, "opens_s": window.opens_s,
                "closes_s": window.closes_s,
            }
            for window in network.pickup_windows.values()
        ],
        "towns": {town.key: [town.name_zh, town.name_en] for town in network.towns.values()},
        "photos": PHOTO_RULES,
    }  # fmt: skip


def _item(kind: ItemType) -> dict[str, Any]:
    return {
        "key": kind.key,
        "zh": kind.name_zh,
        "en": kind.name_en,
        "picture": kind.key if kind.key in PICTURES else ANY_PICTURE,
        "furniture": kind.group == "furniture",
        "common": kind.key in COMMON,
        "most": kind.max_per_booking,
        "dismantling": kind.dismantling,
        "data": kind.data_bearing,
    }
