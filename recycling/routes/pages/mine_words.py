"""Chinese and English words of the resident's own pages."""

from __future__ import annotations

from recycling.models.recurring import RecurringState
from recycling.models.waiting import WaitingState
from recycling.policy.ratings import RatingReason
from recycling.routes.pages.words import Words

# What was just done, told by the page that comes after it.
DONE_WORDS: dict[str, Words] = {
    "booked": ("已预约。", "Booked."),
    "changed": ("已更改。", "Changed."),
    "cancelled": ("已取消。", "Cancelled."),
    "rated": ("感谢您的评价。", "Thank you for saying so."),
    "photo": ("照片已更新。", "The photos were updated."),
}

RATING_WORDS: dict[RatingReason, Words] = {
    "on_time": ("准时", "on time"),
    "careful": ("搬运小心", "careful"),
    "friendly": ("态度好", "friendly"),
    "fair_price": ("价格公道", "fair price"),
    "left_clean": ("收拾干净", "left clean"),
    "late": ("迟到", "late"),
    "careless": ("搬运粗心", "careless"),
    "unfriendly": ("态度差", "unfriendly"),
    "price_differed": ("价格与估价不符", "price differed"),
    "left_dirty": ("没有收拾", "left dirty"),
    "items_refused": ("有物品没收走", "items not taken"),
}

WAITING_WORDS: dict[WaitingState, Words] = {
    "waiting": ("候补中", "waiting"),
    "offered": ("有空位，请尽快确认", "a place is kept for you: confirm it"),
    "taken": ("已预约", "booked"),
    "lapsed": ("候补已过期", "ended"),
    "withdrawn": ("已取消候补", "withdrawn"),
}

RECURRING_WORDS: dict[RecurringState, Words] = {
    "active": ("进行中", "active"),
    "paused": ("已暂停", "paused"),
    "ended": ("已终止", "ended"),
}
