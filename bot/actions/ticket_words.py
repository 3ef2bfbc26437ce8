"""Words for tickets: what they are about and how they stand."""

from bot.actions.desk import Json
from bot.actions.times import Bilingual

#: Words for what a ticket is about, by topic, else by kind.
_ABOUT: dict[str, Bilingual] = {
    "outage": {"zh": "停电报修", "en": "the power cut"},
    "voltage": {"zh": "电压不稳报修", "en": "the unsteady voltage"},
    "no_water": {"zh": "停水报修", "en": "the water being off"},
    "low_pressure": {"zh": "水压低报修", "en": "the weak water"},
    "hazard": {"zh": "险情", "en": "the danger"},
    "complaint": {"zh": "投诉", "en": "the complaint"},
    "damage_claim": {"zh": "损坏索赔", "en": "the damage claim"},
    "fault_report": {"zh": "报修", "en": "the fault"},
}
_OTHER: Bilingual = {"zh": "工单", "en": "your request"}

STATUS: dict[str, Bilingual] = {
    "received": {"zh": "已受理，等待派单", "en": "received, waiting to be dispatched"},
    "dispatched": {"zh": "已派单", "en": "dispatched to a crew"},
    "accepted": {"zh": "抢修人员已接单", "en": "accepted by a crew"},
    "on_site": {"zh": "抢修人员已到现场", "en": "a crew is on site"},
    "repaired": {"zh": "已修复", "en": "repaired"},
    "customer_informed": {"zh": "已处理并告知", "en": "dealt with, and you were told"},
    "followed_up": {"zh": "已回访", "en": "followed up"},
    "closed": {"zh": "已办结", "en": "closed"},
    "transferred": {"zh": "已转其他单位处理", "en": "passed on to another unit"},
    "returned": {"zh": "已退回", "en": "returned"},
    "cancelled": {"zh": "已撤销", "en": "withdrawn"},
}
#: Before a crew is on site a customer may still change or withdraw an order.
BEFORE_ARRIVAL = ("received", "dispatched", "accepted")


def about(ticket: Json) -> Bilingual:
    """What a ticket is about, in a few words."""
    return _ABOUT.get(ticket["topic"]) or _ABOUT.get(ticket["kind"]) or _OTHER
