"""Naming the nearest outlet (B2, B4)."""

from bot.actions.desk import Json
from bot.actions.turn import Turn

MOST_NAMED = 3
#: Of which a caller keeps so many.
MOST_HEARD = 2


async def outlets_near(turn: Turn, utility: str | None, *, hall: bool = False) -> list[Json]:
    """Outlets, nearest to the place of this conversation first."""
    found = await turn.desk.get("/outlets", near=turn.place.get("service_point_id"), utility=utility)
    items: list[Json] = found.get("items") or []
    halls = [o for o in items if o.get("kind") == "hall"]
    most = MOST_HEARD if turn.voice else MOST_NAMED
    if hall:
        return halls[:most]
    # The nearest ones, and a service hall among them: some matters need one.
    nearest = items[:most]
    return nearest if any(o in halls for o in nearest) else nearest[: most - 1] + halls[:1]


async def nearest_outlet(turn: Turn, utility: str, *, hall: bool = False) -> None:
    """Say where the nearest outlet is, and the nearest one open round the clock; `hall`: only service halls."""
    items = await outlets_near(turn, utility, hall=hall)
    if not items:
        return
    named = items[:1] + [o for o in items[1:] if o.get("round_the_clock")][:1]
    turn.say("utter_outlets", outlets=outlet_lines(named))


def outlet_lines(items: list[Json]) -> dict[str, str]:
    """One line per outlet, in both languages; round the clock is said once, by the name or after it."""
    always = [bool(o.get("round_the_clock")) for o in items]
    return {
        "zh": "\n".join(
            f"· {o['name_zh']}，{o['address_zh']}{'（24小时）' if day and '24' not in o['name_zh'] else ''}"
            for o, day in zip(items, always, strict=True)
        ),
        "en": "\n".join(
            f"· {o['name_en']}, {o['address_en']}{' (24 h)' if day and '24' not in o['name_en'] else ''}"
            for o, day in zip(items, always, strict=True)
        ),
    }
