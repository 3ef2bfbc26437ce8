"""Rules of the conversation: text, pace, patience, working time. Pure."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any, Literal
from zoneinfo import ZoneInfo

#: Joins the parts of one emoji; the only format character that is kept.
ZERO_WIDTH_JOINER = "\u200d"
#: Seconds until the next try while Rasa cannot be reached; the last one repeats.
BACKOFF = (0.5, 0.5, 1.0, 2.0, 4.0, 5.0)
#: How often a turn may be lost half-way (Rasa died under it) before it counts as failed.
MAX_LOST = 3
#: Seconds after which a customer whose message waits for Rasa is told so.
DELAY_TOLD_AFTER = 2.0
#: The same where Rasa is up, and too many others are before this message.
CROWD_TOLD_AFTER = 3.0
#: Waits that an expectation rests on, at least and at most.
LEAST_WAITS, MOST_WAITS = 3, 10
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def normalise(text: str) -> str:
    """The text in NFC without control and invisible characters (line breaks and tabs stay) and outer blanks."""
    kept = (
        c
        for c in unicodedata.normalize("NFC", text)
        if c in "\n\t" or c == ZERO_WIDTH_JOINER or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return "".join(kept).strip().strip(ZERO_WIDTH_JOINER).strip()


#: A bot command as a curious customer types it; its words mean nothing, and must not be taken for a wish.
_COMMAND = re.compile(r"/+\w+\s*(?:\{.*\})?", re.DOTALL)


def is_command(text: str) -> bool:
    return _COMMAND.fullmatch(text.strip()) is not None


def without_slash(text: str) -> str:
    """Typed text as the bot may see it: a leading `/` would be a command to Rasa."""
    return re.sub(r"^[/\s]+", "", text)


def content_hash(kind: str, content: str) -> str:
    """SHA-256 that tells whether a repeated message id came with the same content; `kind` is text or choice."""
    return hashlib.sha256(f"{kind}\0{content}".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Pace:
    """Answer of `next_slot`: the new mark to store, or the seconds to wait if the message is refused."""

    mark: datetime | None
    wait: float = 0.0

    @property
    def allowed(self) -> bool:
        return self.mark is not None


def next_slot(mark: datetime | None, now: datetime, burst: int, seconds: float) -> Pace:
    """Leaky bucket in one timestamp (GCRA): `burst` messages at once, then one per `seconds`."""
    due = max(mark or now, now)
    ahead = (due - now).total_seconds()
    room = (burst - 1) * seconds
    if ahead > room:
        return Pace(None, ahead - room)
    return Pace(due + timedelta(seconds=seconds))


def backoff(attempts: int) -> float:
    """Seconds to wait after the `attempts`-th try (from 1) that did not reach Rasa."""
    return BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]


@dataclass(frozen=True)
class Hours:
    """When agents work, in local time; `days` are 0 (Monday) to 6."""

    start: time
    end: time
    days: frozenset[int]

    @classmethod
    def from_fact(cls, fact: Mapping[str, Any]) -> "Hours":
        """From the utility's fact {"from": "08:30", "to": "17:30", "days": [1…7] or ["mon", …]}; all days if unsaid."""
        days: Sequence[Any] = fact.get("days") or DAYS
        numbers = {DAYS.index(str(d)[:3].lower()) if not isinstance(d, int) else d - 1 for d in days}
        return cls(
            time.fromisoformat(str(fact.get("from", "00:00"))),
            time.fromisoformat(str(fact.get("to", "23:59"))),
            frozenset(numbers),
        )


def expected_wait(waits: Sequence[float], standing: Sequence[float] = ()) -> int | None:
    """Whole minutes that a wait for a person takes at present: the median of the latest waits, in seconds.

    `standing`: how long those wait who are still there; whoever waits longer than was usual counts, too. None where
    too few are known: nothing is promised that nobody knows (B5).
    """
    if len(waits) < LEAST_WAITS:
        return None
    usual = median(waits)
    return max(1, math.ceil(median([*waits, *(each for each in standing if each > usual)]) / 60))


def next_working_time(now: datetime, hours: Hours, zone: ZoneInfo) -> datetime:
    """The first moment, from `now` on, at which agents work; in the zone of `now`.

    Raises ValueError where `hours` has no working day.
    """
    local = now.astimezone(zone)
    for ahead in range(-1, 8):  # yesterday, for hours that go over midnight
        day = (local + timedelta(days=ahead)).date()
        if day.weekday() not in hours.days:
            continue
        start = datetime.combine(day, hours.start, zone)
        end = datetime.combine(day, hours.end, zone)
        if end <= start:  # over midnight
            end += timedelta(days=1)
        if local < end:
            return max(local, start).astimezone(now.tzinfo)
    raise ValueError("agents never work")


#: What an agent can be skilled in, besides languages.
SKILLS = ("power", "water", "complaint")
#: Roles that talk with customers.
SERVING = ("agent", "supervisor", "admin")


@dataclass(frozen=True)
class Seat:
    """An agent, as queues see him. `open`: conversations that are his now. No language or skill named: any."""

    agent_id: str
    languages: frozenset[str]
    skills: frozenset[str]
    open: int
    capacity: int
    idle_since: datetime

    @property
    def room(self) -> bool:
        return self.open < self.capacity


@dataclass(frozen=True)
class Waiting:
    """A conversation that waits for an agent. `skill`: one of SKILLS, or '' for anything."""

    conversation_id: str
    priority: int
    since: datetime
    language: str | None
    skill: str
    passed_by: str | None = None


def skills_of(names: Sequence[Any]) -> frozenset[str]:
    """The skills that queues know among an agent's; `complaints` is one, too."""
    known = {str(name).strip().lower().removesuffix("s") for name in names}
    return frozenset(known & set(SKILLS))


def speaks(seat: Seat, language: str | None) -> bool:
    """Whether the agent has this language."""
    return not seat.languages or language is None or language in seat.languages


def suits(seat: Seat, waiting: Waiting) -> bool:
    """Whether the agent has the customer's language and knows about the matter."""
    return speaks(seat, waiting.language) and (not waiting.skill or not seat.skills or waiting.skill in seat.skills)


def offered(seat: Seat, waiting: Waiting, now: datetime, suited: timedelta) -> bool:
    """Whether the agent may be given it: danger, and who has waited for so long, goes to anybody."""
    return waiting.priority == 1 or now - waiting.since >= suited or suits(seat, waiting)


def others_do(seat: Seat, waiting: Waiting, present: Sequence[Seat]) -> bool:
    """Whether the agent leaves it to others as long as he has customers of his own language: it is not his, and one
    who has it is there. Danger is left to nobody.
    """
    if waiting.priority == 1 or speaks(seat, waiting.language):
        return False
    return any(speaks(each, waiting.language) for each in present)


def rank(seat: Seat, waiting: Waiting, present: Sequence[Seat]) -> tuple[bool, int, bool]:
    """What goes before time where an agent takes the next one: less is sooner.

    What he let lie comes last of all, unless he is the only one of those `present` who has the customer's language.
    """
    let_lie = waiting.passed_by == seat.agent_id
    alone = let_lie and bool(present) and not any(_could_do(each, seat, waiting) for each in present)
    return let_lie and not alone, waiting.priority, others_do(seat, waiting, present)


def _could_do(other: Seat, seat: Seat, waiting: Waiting) -> bool:
    return other.agent_id != seat.agent_id and speaks(other, waiting.language)


def in_order(
    seat: Seat, queue: Sequence[Waiting], now: datetime, suited: timedelta, present: Sequence[Seat] = ()
) -> list[Waiting]:
    """What the agent may be offered, the best first: by rank, then by how long it has waited. `present`: all agents
    who are there.
    """
    fit = [waiting for waiting in queue if offered(seat, waiting, now, suited)]
    return sorted(fit, key=lambda w: (*rank(seat, w, present), w.since, w.conversation_id))


def best_seat(
    seats: Sequence[Seat], waiting: Waiting, now: datetime, suited: timedelta, present: Sequence[Seat] = ()
) -> Seat | None:
    """Who gets the conversation: one whom it suits before others, with the fewest open, idle the longest.

    Never the agent who let it lie, and nobody without room, unless it is danger and nobody has any. With `present`:
    nobody who leaves it to one of these.
    """
    free = [
        s
        for s in seats
        if (s.room or (waiting.priority == 1 and s.capacity > 0))
        and s.agent_id != waiting.passed_by
        and offered(s, waiting, now, suited)
        and not others_do(s, waiting, present)
    ]
    return min(
        free,
        key=lambda s: (
            not s.room,
            not suits(s, waiting),
            not speaks(s, waiting.language),
            s.open,
            s.idle_since,
            s.agent_id,
        ),
        default=None,
    )


def serving(seats: Sequence[Seat], waiting: Waiting) -> Sequence[Seat]:
    """Those by whom the customer will be taken: whom he suits; else who has his language; else anybody, in time."""
    fit = [seat for seat in seats if suits(seat, waiting)]
    return fit or [seat for seat in seats if speaks(seat, waiting.language)] or seats


def comes_before(
    other: Waiting, waiting: Waiting, present: Sequence[Seat], now: datetime, suited: timedelta
) -> Literal["always", "longer", "never"]:
    """Whether `other` is taken before this customer by an agent who serves him: whoever waits longer or not, if it
    waits longer, or never.

    Who has an agent of his own there is no competitor of another's customer until he has waited for `suited`; whom
    nobody suits is everybody's. Where nobody is there, they come by urgency.
    """
    if not present:
        mine = waiting.priority
        return "always" if other.priority < mine else "longer" if other.priority == mine else "never"
    stranded, longer = not any(suits(seat, other) for seat in present), False
    for seat in serving(present, waiting):
        if stranded or offered(seat, other, now, suited):
            theirs, mine_here = rank(seat, other, present), rank(seat, waiting, present)
            if theirs < mine_here:
                return "always"
            longer = longer or theirs == mine_here
    return "longer" if longer else "never"


def told_apart(seats: Sequence[Seat], named: Collection[str | None]) -> list[Seat]:
    """One of each kind of agent, and whoever is `named`: all that `comes_before` can tell apart."""
    kinds = {(s.languages, s.skills, s.agent_id if s.agent_id in named else ""): s for s in seats}
    return list(kinds.values())


def silence(
    unanswered: timedelta, reminded: timedelta | None, *, gone: bool, remind_seconds: float, pass_seconds: float
) -> Literal["", "remind", "pass"]:
    """What an agent's silence leads to. `unanswered`, `reminded`: so long ago; `gone`: his console is closed, and
    nobody waits for it.

    Nobody who is there loses a conversation unwarned, and the warning leaves him the time between the two limits.
    """
    waited = unanswered.total_seconds()
    if gone:
        return "pass"
    if waited < remind_seconds:
        return ""
    if reminded is None:
        return "remind"
    return "pass" if waited >= pass_seconds and reminded.total_seconds() >= pass_seconds - remind_seconds else ""


def tells_place(place: int, told: int, ago: timedelta, times: int, limit: Mapping[str, Any], channel: str) -> bool:
    """Whether a waiting customer is told the place now; `told`: the last one (0: none), `ago`: when he was told."""
    if times >= int(limit["times"].get(channel, 0)):
        return False
    better = place < told or not told
    return ago >= timedelta(minutes=limit["better_minutes" if better else "again_minutes"])
