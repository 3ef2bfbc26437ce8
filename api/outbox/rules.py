"""Rules of the outbox: sizes, joining, patience, and how states move. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

#: Seconds before the second try; doubled with each further one, up to LONGEST_WAIT.
FIRST_WAIT = 1.0
LONGEST_WAIT = 600.0
#: After so many tries (in over an hour) a delivery is dead.
MOST_TRIES = 20
#: Between the lines that go out in one message.
BETWEEN = "\n\n"
ELLIPSIS = "…"

#: How each channel measures a text, and the most that one message of it takes. WeChat: bytes of UTF-8 (error 45002
#: beyond); Twilio's Messages: UTF-16 units (error 21617 beyond).
SIZES: dict[str, tuple[Callable[[str], int], int]] = {
    "wechat": (lambda text: len(text.encode("utf-8", "replace")), 2048),
    "sms": (lambda text: len(text.encode("utf-16-le", "replace")) // 2, 1600),
}

#: A vendor's reports move a delivery forward only; until the call's own answer is there it may be anything.
_REACHED = {"sending": 0, "unknown": 0, "sent": 1, "delivered": 2, "read": 3}
MAY_FAIL = ("sending", "unknown", "sent")
#: What an agent may have tried again.
MAY_RETRY = ("dead", "failed", "unknown", "parked", "moved")
_PAUSE = re.compile(r"(?<=[。！？；，、!?;])|(?<=\s)")


@dataclass(frozen=True)
class Part:
    """As much of a line as one message holds: text, and labels of which the first is the line's `start`-th (from 0)."""

    text: str
    labels: tuple[str, ...] = ()
    start: int = 0


def worded(text: str, choices: Sequence[tuple[int | None, str]]) -> str:
    """A line with its choices as text, each under the number by which it can be taken; without one it is past."""
    offered = [f"{label}" if number is None else f"{number}. {label}" for number, label in choices]
    return "\n".join([text, *offered] if text else offered)


def widest(text: str, labels: Sequence[str]) -> str:
    """A line with the longest numbers that its choices may get."""
    return worded(text, [(999, label) for label in labels])


def fits(channel: str, text: str) -> bool:
    """Whether one message of the channel holds this text."""
    if channel not in SIZES:
        return True
    size, most = SIZES[channel]
    return size(text) <= most


def cut(channel: str, text: str) -> str:
    """The text, or as much of its beginning as one message holds, with an ellipsis that says so."""
    if fits(channel, text):
        return text
    return text[: _most_characters(channel, text, ELLIPSIS)] + ELLIPSIS


def _most_characters(channel: str, text: str, ending: str = "") -> int:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(channel, text[:middle] + ending):
            low = middle
        else:
            high = middle - 1
    return max(low, 1)


def split(channel: str, text: str) -> list[str]:
    """The text in pieces of one message each: at a line's end, else at a pause, else wherever it must be."""
    pieces: list[str] = []
    rest = text
    while not fits(channel, rest):
        most = _most_characters(channel, rest)
        end = rest.rfind("\n", 1, most + 1)
        if end < 0:
            end = max((found.end() for found in _PAUSE.finditer(rest, 1, most)), default=most)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*(piece for piece in pieces if piece), *([rest] if rest or not pieces else [])]


def parts(channel: str, text: str, labels: Sequence[str]) -> list[Part]:
    """A line as messages of the channel; its choices stand under the last of its words."""
    whole = Part(text, tuple(labels))
    if fits(channel, widest(text, labels)):
        return [whole]
    done = [Part(piece) for piece in split(channel, text)] if text else []
    for position, label in enumerate(labels):
        last = done[-1] if done else None
        grown = Part(last.text, (*last.labels, label), last.start if last.labels else position) if last else None
        if grown is not None and fits(channel, widest(grown.text, grown.labels)):
            done[-1] = grown
        else:
            done.append(Part("", (label,), position))
    return done


class Waiting(Protocol):
    """A queued delivery, as far as its turn goes."""

    purpose: str
    conversation_id: str | None
    attempts: int
    not_before: datetime


def next_group(channel: str, queue: Sequence[Waiting], words: Sequence[str], now: datetime, joins: int) -> list[int]:
    """Places in the `queue` of one recipient (in order) of what goes out in one message: the first that is due, and
    what follows it in the same conversation while it fits. `words`: each with the longest numbers it may get.

    What waits for its time holds back its own purpose only, unless it was tried already: a notice for the morning
    does not hold up a reply, a reply that could not be sent does.
    """
    taken: list[int] = []
    held: set[str] = set()
    for place, waiting in enumerate(queue):
        if waiting.not_before > now:
            if waiting.attempts:
                break
            held.add(waiting.purpose)
        elif waiting.purpose in held:
            continue
        elif not taken:
            taken.append(place)
        elif waiting.conversation_id is None or waiting.conversation_id != queue[taken[0]].conversation_id:
            break
        elif len(taken) < joins and fits(channel, BETWEEN.join(words[p] for p in (*taken, place))):
            taken.append(place)
        else:
            break
    return taken


def wait(attempts: int, asked: float | None, chance: float) -> float:
    """Seconds until the next try after the `attempts`-th (from 1): doubled each time, spread over half of itself by
    `chance` (0 to 1), and no less than the vendor `asked` for."""
    full = min(FIRST_WAIT * 2.0 ** min(max(attempts - 1, 0), 30), LONGEST_WAIT)
    return max(full * (0.5 + chance / 2), (asked or 0.0) + FIRST_WAIT * chance)


def moves(state: str, reported: str) -> bool:
    """Whether a vendor's report (sent | delivered | read | failed) changes a delivery of this state."""
    if reported == "failed":
        return state in MAY_FAIL
    return state in _REACHED and _REACHED.get(reported, 0) > _REACHED[state]
