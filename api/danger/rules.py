"""Danger to life in a customer's words (A9, B11; "danger first"): which kind, where, and the fixed answer.

Pure. The words, the rules over them and the safety sentences are data (`words.yml`); this module knows only how terms
combine: near each other, denied, feared, long past. Doubt counts as danger: only a denial or fear that stands directly
before a symptom silences it, and only that one.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from api.danger.lexicon import HARMLESS, Clean, Lexicon, Token

Language = Literal["zh", "en"]
# Concepts that steer the reading. All others are things (in `things`) or symptoms.
_DENIAL, _FEAR, _PAST, _PRESENT, _FIGURE = "denial", "fear", "past", "present", "figure"
_STEERING = frozenset({_DENIAL, _FEAR, _PAST, _PRESENT, _FIGURE})
_THING, _SYMPTOM, _LISTED = "thing", "symptom", "list"
_REACH = 48  # characters a denial or fear can lie before its symptom, filler words between
_FIGURE_REACH = 8  # likewise for 气得 before 冒烟


@dataclass(frozen=True, slots=True)
class Danger:
    """What a message holds: categories, the most urgent first; the language it was said in; spans in the message."""

    categories: tuple[str, ...]
    language: Language
    spans: tuple[tuple[int, int], ...]

    @property
    def kind(self) -> str:
        """The most urgent category."""
        return self.categories[0]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to see a danger: every slot (a set of concepts) is met within `gap` characters of the next."""

    category: str
    slots: tuple[frozenset[str], ...]
    gap: tuple[int, int]  # Chinese, English
    ordered: bool = False
    anywhere: bool = False
    alone: int = 0  # if set, only in a message of at most so many characters
    not_between: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()


class Scanner:
    """Scans messages. Build with `from_data`."""

    def __init__(self, data: Mapping[str, Any], characters: Mapping[str, str]) -> None:
        """`data`: the parsed words.yml; `characters`: variant → standard character."""
        self._categories: dict[str, Any] = {c["id"]: c for c in data["categories"]}
        self._urgency = {name: rank for rank, name in enumerate(self._categories)}
        self._numbers: dict[str, Any] = data["numbers"]
        terms = data["concepts"] | data["steering"] | {HARMLESS: data["harmless"]}
        self._lexicon = Lexicon(
            {name: _terms(text) for name, text in terms.items()},
            characters=characters | data["characters"],
            slips=data["slips"],
            swaps=data["sounds_like"],
        )
        self._things = frozenset(data["things"])
        self._figurative = frozenset(data["figurative"])
        self._rules = tuple(_rule(r, data["gap"]) for r in data["rules"])
        self._wary = frozenset().union(*(r.unless for r in self._rules))
        self._parts: dict[frozenset[str], str] = {}  # both grow to the few hundred combinations that the words have
        self._used: dict[frozenset[str], tuple[tuple[frozenset[str], ...], tuple[Rule, ...]]] = {}
        known = {*data["concepts"], *data["steering"]}
        used = {c for r in self._rules for c in frozenset().union(*r.slots, r.not_between, r.unless)}
        used |= self._things | self._figurative
        if unknown := (used - known) | ({r.category for r in self._rules} - self._urgency.keys()):
            raise ValueError(f"words.yml names what it does not define: {sorted(unknown)}")
        self._fillers = {kind: _fillers(words) for kind, words in data["fillers"].items()}

    @property
    def categories(self) -> tuple[str, ...]:
        """All category ids, the most urgent first."""
        return tuple(self._categories)

    def scan(self, text: str) -> Danger | None:
        """The danger in one message, or None. Linear in its length; never raises."""
        clean = self._lexicon.clean(text)
        tokens = self._alive(clean.text, self._lexicon.tokens(clean.text))
        hits = self._hits(clean.text, tokens)
        if not hits:
            return None
        categories = tuple(sorted(hits, key=self._urgency.__getitem__))
        met = hits[categories[0]]
        return Danger(
            categories,
            "zh" if any(t.han for t in met) else "en",
            tuple(_span(clean, hits[c]) for c in categories),
        )

    def safety_words(self, danger: Danger, language: str, *, voice: bool = False, hotline: str = "") -> str:
        """The fixed words for a danger, for its two most urgent categories; by voice in their shorter form.

        `language` is `zh` or `en` (all else reads as `en`); `hotline` is the utility's own number, else the file's.
        """
        lang = "zh" if language.startswith("zh") else "en"
        form = "voice" if voice else "text"
        numbers = {name: n[f"{lang}_voice"] if voice else n["dial"] for name, n in self._numbers.items()}
        numbers["hotline"] = hotline or numbers["hotline"]
        said = [c for c in danger.categories if c in self._categories][:2]
        return "\n".join(str(self._categories[c]["say"][lang][form]).format(**numbers) for c in said)

    def _alive(self, text: str, tokens: Sequence[Token]) -> list[Token]:
        """The tokens that count: without steering, and without symptoms denied, feared, figurative or long past."""
        alive: list[Token] = []
        present = any(_PRESENT in t.concepts for t in tokens)
        past = [] if present else [t for t in tokens if _PAST in t.concepts]
        past_starts = [t.start for t in past]
        # where the last denial or fear has got to, which of them it is (or "list", after its first symptom)
        reach, mode = -_REACH - 1, ""
        figure = -_FIGURE_REACH - 1
        thing = False  # whether it has passed a thing on its way
        last: Token | None = None
        for token in tokens:
            start, end, concepts, han = token
            part = self._part(concepts)
            if part == _THING:
                alive.append(token)
                figure = -_FIGURE_REACH - 1
                if start <= reach + _REACH and mode != _LISTED and self._spans(text[reach:start], mode, han):
                    reach, thing = end, True
            elif part == _SYMPTOM:
                between = text[reach:start] if start <= reach + _REACH else None
                if thing and between and "是" in between:  # 不是跳闸，是电表箱冒烟
                    between = None
                if between is not None and self._carried(text, token, between, mode, last):
                    last = token
                    reach, mode = end, _LISTED
                elif not (
                    (start <= figure + _FIGURE_REACH and concepts <= self._figurative)
                    or (past and _long_past(text, token, past, past_starts))
                    or (han and (_denied_after(text, token) or _asked_generally(text, token)))
                ):
                    alive.append(token)
            elif part == _FIGURE:
                figure = end
            elif part in self._fillers:
                reach, mode, thing = end, part, False
        return alive

    def _part(self, concepts: frozenset[str]) -> str:
        """What a token does: it denies, fears or makes figurative what follows, is a thing or a symptom, or nothing."""
        if (part := self._parts.get(concepts)) is None:
            steering = next((p for p in (_DENIAL, _FEAR, _FIGURE) if p in concepts), "")
            others = concepts - _STEERING
            part = steering or ("" if not others else _THING if others <= self._things else _SYMPTOM)
            self._parts[concepts] = part
        return part

    def _carried(self, text: str, token: Token, between: str, mode: str, last: Token | None) -> bool:
        """Whether a denial or fear before the token reaches it."""
        happened = "了" in text[token.start : token.end + 1]
        if mode == _LISTED:
            if not between and last is not None:  # 没有冒烟着火: one denial of one kind of thing, said in one breath
                return bool(token.concepts & last.concepts) and not happened
            return bool(_LIST.fullmatch(between)) or (
                between.strip() == "," and bool(_OR_FOLLOWS.match(text, token.end))
            )
        if mode == _FEAR and happened:
            return False
        return self._spans(between, mode, token.han)

    def _spans(self, between: str, mode: str, han: bool) -> bool:
        """Whether only filler words stand there. Among Chinese words a space parts clauses."""
        return not (han and _SPACE.search(between)) and bool(self._fillers[mode].fullmatch(between))

    def _hits(self, text: str, tokens: Sequence[Token]) -> dict[str, tuple[Token, ...]]:
        """Category → the tokens that first showed it."""
        hits: dict[str, tuple[Token, ...]] = {}
        seen: dict[frozenset[str], Token] = {}  # slot → the last token that fills it
        places = {c: [t.start for t in tokens if c in t.concepts] for c in self._wary}
        short = len(text.strip())
        before: frozenset[str] = frozenset()
        for token in tokens:
            slots, rules = self._uses(token.concepts)
            for slot in slots:
                seen[slot] = token
            if token.concepts == before:  # farther from all that came before than its twin, which was tried
                continue
            before = token.concepts
            for rule in rules:
                if rule.category in hits or (rule.alone and short > rule.alone):
                    continue
                met = _met(rule, token, seen)
                if met and not any(_near(places[c], met, rule.gap[0 if token.han else 1]) for c in rule.unless):
                    hits[rule.category] = met
            if len(hits) == len(self._categories):
                break
        return hits

    def _uses(self, concepts: frozenset[str]) -> tuple[tuple[frozenset[str], ...], tuple[Rule, ...]]:
        """The slots that a token fills (also those that may not stand between others) and the rules they belong to."""
        if (uses := self._used.get(concepts)) is None:
            slots = {s for r in self._rules for s in (*r.slots, *map(_single, r.not_between)) if s & concepts}
            uses = tuple(slots), tuple(r for r in self._rules if any(s & concepts for s in r.slots))
            self._used[concepts] = uses
        return uses


def _single(concept: str) -> frozenset[str]:
    return frozenset({concept})


_LIST = re.compile(r"(?:、|或者?|和|及|以及|与|/|还是| or | nor |, or |, nor | or any | or even )(?:有|any |is |was )?")
_OR_FOLLOWS = re.compile(r"(?:[a-z ]{0,12}, ?)?[a-z ]{0,12}\b(?:or|nor)\b")
_SPACE = re.compile(r"(?<![a-z ])\s+(?![a-z ])")
_ASKING = frozenset("吗么嘛不")
_DENIED_AFTER = re.compile(
    r"(?:的?情况|的?现象)?(?:倒是|倒|都|也|是|就|并|暂时|目前)*"
    r"(?:还没有|没有|没见到?|没看[到见]|没闻到|没发现)(?=$|[，。！、；,.!;\s啊呢的但可只就])"
)


def _denied_after(text: str, token: Token) -> bool:
    """冒烟倒没有: the denial stands behind."""
    return text[token.end : token.end + 1] in "的情现倒都也是就并暂目还没" and bool(
        _DENIED_AFTER.match(text, token.end)
    )


def _asked_generally(text: str, token: Token) -> bool:
    """会触电吗: whether it can happen, not that it did."""
    return text[token.end : token.end + 1] in _ASKING and text[token.start - 1 : token.start] in ("会", "能")


def _long_past(text: str, token: Token, past: Sequence[Token], starts: Sequence[int]) -> bool:
    """Whether a word like 去年 stands near in the same sentence."""
    if not past:
        return False
    at = bisect_left(starts, token.start)
    limit = 20 if token.han else 60
    for near in past[max(0, at - 1) : at + 1]:
        a, b = (near.end, token.start) if near.start < token.start else (token.end, near.start)
        if b - a <= limit and not re.search(r"[。！？!?；;\n]|\. ", text[a:b]):
            return near.start < token.start or not token.han
    return False


def _met(rule: Rule, token: Token, seen: Mapping[frozenset[str], Token]) -> tuple[Token, ...]:
    """The tokens that fill the rule's slots with `token` as the last of them, or ()."""
    met: list[Token] = []
    for slot in rule.slots:
        found = seen.get(slot)
        if found is None:
            return ()
        met.append(found)
    if rule.ordered:
        if met[-1] is not token or met != sorted(met):
            return ()
    elif len(met) > 1:
        met.sort()
    if not rule.anywhere:
        for left, right in pairwise(met):
            if right.start - left.end > rule.gap[0 if left.han and right.han else 1]:
                return ()
    for concept in rule.not_between:
        other = seen.get(_single(concept))
        if other and met[0].end <= other.start < met[-1].start:
            return ()
    return tuple(met)


def _near(starts: Sequence[int], met: Sequence[Token], gap: int) -> bool:
    """Whether one of the positions lies within `gap` of the tokens."""
    at = bisect_left(starts, met[0].start - gap)
    return at < len(starts) and starts[at] <= met[-1].end + gap


def _span(clean: Clean, met: Sequence[Token]) -> tuple[int, int]:
    return clean.original(met[0].start), clean.original(met[-1].end - 1) + 1


def _terms(text: str) -> list[str]:
    return [term for part in text.split(";") if (term := part.strip())]


def _rule(entry: Mapping[str, Any], gap: Mapping[str, int]) -> Rule:
    own = entry.get("gap", {})
    return Rule(
        category=entry["category"],
        slots=tuple(frozenset(slot.split("|")) for slot in entry["all"]),
        gap=(own.get("zh", gap["zh"]), own.get("en", gap["en"])),
        ordered=entry.get("ordered", False),
        anywhere=entry.get("anywhere", False),
        alone=entry.get("alone", 0),
        not_between=frozenset(entry.get("not_between", ())),
        unless=frozenset(entry.get("unless", ())),
    )


def _fillers(words: Iterable[str]) -> re.Pattern[str]:
    """Text made of nothing but these words, spaces and quotes."""
    choices = sorted((re.escape(str(w)) for w in words), key=len, reverse=True)
    return re.compile(rf"(?:\s|[\"'“”「」]|{'|'.join(f'{w}(?![a-z])' if w[0].isascii() else w for w in choices)})*+")
