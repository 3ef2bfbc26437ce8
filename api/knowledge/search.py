"""Finds articles and canned replies by words, short codes, pinyin and its initials. No I/O, no clock."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pypinyin import Style, lazy_pinyin
from rapidfuzz import fuzz

from api.knowledge.model import Article, Reply
from api.network.words import normalise

Kind = Literal["article", "reply"]
Language = Literal["zh", "en"]
#: Below this, what is found resembles the query by accident.
LEAST = 55.0
_SIGNS = re.compile(r"[^\w]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SEVERAL_SYLLABLES, _LEAST_TYPED = 3, 4
#: Characters of a query that are looked at, and of a keyword at most.
_LONGEST, _LONGEST_KEYWORD = 60, 12
#: From this score on it is no resemblance, and a title counts more than a keyword, by this.
_SAME, _TITLE = 80, 3
#: By whether it is Chinese: characters from which on a keyword counts within a wording; likeness (0–100) that counts.
_LEAST_HEAD = {True: 2, False: 4}
_ALIKE = {True: 65, False: 80}
#: Characters of what is compared with parts of a wording.
_LEAST_WITHIN = 4


@dataclass(frozen=True)
class Head:
    """A title, keyword or key as it is compared; `sound` and `initials` are its pinyin, '' where it is not Chinese."""

    text: str
    sound: str = ""
    initials: str = ""


@dataclass(frozen=True)
class Indexed:
    """One entry with what is compared, per language."""

    kind: Kind
    entry: Article | Reply
    key: str
    heads: dict[str, tuple[Head, ...]]
    body: dict[str, str]


@dataclass(frozen=True)
class Sought:
    """A query as it is compared. `sound`: its pinyin, '' where it is too long; `typed`: in Latin letters."""

    words: str
    sound: str
    typed: bool

    @classmethod
    def of(cls, words: str) -> "Sought":
        close = words.replace(" ", "")
        typed = close.isascii()
        return cls(words, close if typed else _sound(close) if len(close) <= _LONGEST_KEYWORD else "", typed)


@dataclass(frozen=True)
class Hit:
    """What was found; `score` runs to 120, 0 where nothing was looked for."""

    kind: Kind
    entry: Article | Reply
    score: float


def indexed(articles: Iterable[Article], replies: Iterable[Reply]) -> tuple[Indexed, ...]:
    """Everything prepared for `find`, in its order."""
    return (*map(_article, articles), *map(_reply, replies))


# Pinyin takes a while: what stands already is not prepared again when another text changes.
@lru_cache(maxsize=1024)
def _article(article: Article) -> Indexed:
    heads = {
        "zh": tuple(map(_head, (article.title.zh, *article.keywords.zh))),
        "en": tuple(map(_head, (article.title.en, *article.keywords.en))),
    }
    body = {
        language: " ".join(plain(text.both[language]) for text in (article.body, *article.steps))
        for language in ("zh", "en")
    }
    return Indexed("article", article, article.id, heads, body)


@lru_cache(maxsize=1024)
def _reply(reply: Reply) -> Indexed:
    heads: dict[str, tuple[Head, ...]] = {
        "zh": (),
        "en": (Head(plain(reply.id.replace("_", " "))), Head(reply.group)),
    }
    return Indexed(
        "reply", reply, reply.key, heads, {language: plain(text) for language, text in reply.text.both.items()}
    )


def find(
    entries: Sequence[Indexed], query: str, language: Language | None = None, kind: Kind | None = None
) -> list[Hit]:
    """Best first, equal ones in their order; all of them where the query is empty.

    `language` limits what is compared (codes and pinyin count for either), None compares both.
    """
    wanted = [entry for entry in entries if kind in (None, entry.kind)]
    words = plain(query[:_LONGEST])
    if not words:
        return [Hit(entry.kind, entry.entry, 0) for entry in wanted]
    sought = Sought.of(words)
    languages = [language] if language else ["zh", "en"]
    hits = [Hit(entry.kind, entry.entry, round(_score(entry, sought, languages), 1)) for entry in wanted]
    return sorted((hit for hit in hits if hit.score >= LEAST), key=lambda hit: -hit.score)


def plain(text: str) -> str:
    """Simplified, half width, lower case; signs are blanks, and no blank stands beside a Chinese character."""
    words = _SIGNS.sub(" ", normalise(text)).strip()
    return re.sub(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])", "", words)


def _head(text: str) -> Head:
    words = plain(text)
    if not _HAN.search(words):
        return Head(words)
    return Head(words, _sound(words), "".join(lazy_pinyin(words, style=Style.FIRST_LETTER)).replace(" ", ""))


def _sound(words: str) -> str:
    return "".join(lazy_pinyin(words)).replace(" ", "")


def _score(entry: Indexed, sought: Sought, languages: Sequence[str]) -> float:
    words = sought.words
    best = 120.0 if words == entry.key else 98.0 if entry.kind == "reply" and entry.key.startswith(words) else 0.0
    for language in languages:
        best = max(best, _in_body(entry.body[language], words))
        for number, head in enumerate(entry.heads[language]):
            score = _by_words(head.text, words)
            best = max(best, score + _TITLE if score >= _SAME and not number else score)
    if "zh" in languages:
        best = max([best, *(_by_sound(head, sought) for head in entry.heads["zh"])])
    return best


def _by_words(head: str, sought: str) -> float:
    if head == sought:
        return 100
    if sought in head:
        return 95 if head.startswith(sought) else 90
    chinese = bool(_HAN.search(head))
    if len(head) >= _LEAST_HEAD[chinese] and (head in sought if chinese else f" {head} " in f" {sought} "):
        return 80 + min(len(head), 10)
    # The same words in another order, with a slip, or a part of a long wording that is nearly the same.
    alike = fuzz.ratio(head, sought) if chinese else fuzz.token_sort_ratio(head, sought)
    within = fuzz.partial_ratio(head, sought) if min(len(head), len(sought)) >= _LEAST_WITHIN else 0.0
    return max(alike * 0.85 if alike >= _ALIKE[chinese] else 0, within * 0.75 if within >= _ALIKE[False] else 0)


def _in_body(body: str, sought: str) -> float:
    if sought in body:
        return 75 if len(sought) > 1 else 60
    words = sought.split()
    return 65 if len(words) > 1 and all(word in body for word in words) else 0


def _by_sound(head: Head, sought: Sought) -> float:
    """`lsyd` or `linshiyongdian` for 临时用电, and 漏宝 for 漏保."""
    if not head.sound or len(sought.sound) < 2:
        return 0
    typed = sought.sound
    if not sought.typed:
        return 88 if typed == head.sound else 0
    if typed in (head.initials, head.sound):
        return 96
    if head.initials.startswith(typed) or (len(typed) >= _SEVERAL_SYLLABLES and head.sound.startswith(typed)):
        return 92
    if len(typed) >= _SEVERAL_SYLLABLES and typed in head.initials:
        return 85
    if len(typed) >= _LEAST_TYPED and typed in head.sound:
        return 84
    near = fuzz.ratio(typed, head.sound) if len(typed) > _LEAST_TYPED else 0.0
    return near * 0.8 if near >= _ALIKE[False] else 0
