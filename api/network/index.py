"""An in-memory index of place names: which places do these words name, heard or spelt somewhat wrong as they may be."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from api.network.words import FIRST_HAN, Token, normalise, sound, spoken, tokens

#: A name is at most so many tokens long.
LONGEST_NAME = 10
#: Shortest name, in letters of its sound, that is matched when it is not exactly the same.
SHORTEST_FUZZY = 6
#: And of the beginning of one that is written in letters.
SHORTEST_BEGINNING = 5
#: How alike name and words must be (0..100): when the words are little more than the name, and inside a sentence.
ALIKE_ALONE, ALIKE_INSIDE = 80, 89
#: Tokens beside the name up to which words count as "little more than the name"; and where not a character agrees.
FEW_TOKENS, FEW_UNLIKE = 5, 2
#: What a near miss loses, so that only a very near one is clear; and how much less alike two stems may be.
NEAR_MISS, STEM_ALLOWANCE = 8.0, 8.0
SCORE_WRITTEN, SCORE_TYPED, SCORE_HEARD, SCORE_ONLY_SOUND, SCORE_BEGINNING = 100.0, 98.0, 92.0, 78.0, 66.0
#: A place that fits so much worse than the best one is no rival of it.
MARGIN = 6.0
#: A name of so few syllables is heard in words that do not mean it (wanda in 今晚打不打麻将).
SHORT_NAME = 3
#: Characters that say nothing about which place is meant.
_COMMON = frozenset("小区花园广场大道正老街路村镇苑居期零一二三四五六七八九十")
_DESIGNATORS = re.compile(r"[\d零一二三四五六七八九十栋幢号楼座单元室层]")
#: What kinds of place are called; alone they name nothing, and two names alike in nothing else are not alike.
GENERIC = re.compile(
    r"(?:xiaoqu|huayuan|jiayuan|guangchang|dadao|cun|lu|jie|yuan|zhen|estate|community|garden|plaza|square|road|street|"
    r"avenue|village|court|town|house|building|residence|homes|manor|terrace|market|station|hospital|park|school)$"
)
_GENERIC_HAN = re.compile(r"(?:小区|花园|广场|大道|正街|老街|[村路街镇苑居])$")


@dataclass(frozen=True)
class Named:
    """A place as the index knows it."""

    id: str
    kind: str
    names: tuple[str, ...]
    district_names: tuple[str, ...] = ()


@dataclass
class Match:
    """A place that the words may name: how sure (0..100), and where in the normalised text."""

    place_id: str
    kind: str
    score: float
    span: tuple[int, int]


@dataclass
class _Window:
    """Some neighbouring tokens of the text, as one sound."""

    text: str
    sound: str
    span: tuple[int, int]
    size: int


def stem(name_sound: str) -> str:
    """The sound of a name without the word for what kind of place it is."""
    return GENERIC.sub("", name_sound)


def _windows(found: Sequence[Token], text: str) -> list[_Window]:
    return [
        _Window(
            text[found[i].start : found[j].end],
            "".join(token.sound for token in found[i : j + 1]),
            (found[i].start, found[j].end),
            j - i + 1,
        )
        for i in range(len(found))
        for j in range(i, min(i + LONGEST_NAME, len(found)))
    ]


@dataclass
class PlaceIndex:
    """Names by how they are written, by how they sound, and by how they begin."""

    kinds: dict[str, str] = field(default_factory=dict)
    by_text: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_sound: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_beginning: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Place id → the telling Han characters of its names.
    characters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    fuzzy: list[str] = field(default_factory=list)

    @classmethod
    def build(cls, places: Iterable[Named]) -> "PlaceIndex":
        index, districts = cls(), set[str]()
        for place in places:
            index.kinds[place.id] = place.kind
            districts |= {normalise(name) for name in place.district_names if name}
            for name in filter(None, map(normalise, place.names)):
                index._add(name, place.id)
        for name in list(index.by_beginning):
            # What names a whole district, or begins too many names, names no place.
            if any(district.startswith(name) for district in districts) or len(index.by_beginning[name]) > 3:
                del index.by_beginning[name]
        index.fuzzy = [key for key in index.by_sound if len(key) >= SHORTEST_FUZZY]
        return index

    def _add(self, name: str, place_id: str) -> None:
        found = tokens(name)
        self.by_text["".join(token.text for token in found)].add(place_id)
        self.characters[place_id] |= {token.text for token in found if token.is_han} - _COMMON
        for key in {sound(name), spoken(name) if found[0].is_han else sound(name)}:
            self.by_sound[key].add(place_id)
        if all(token.is_han for token in found):
            for size in range(2, len(name)):
                self.by_beginning[name[:size]].add(place_id)
        # "hetai" of "Hetai Garden": written in letters, the word for the kind of place is what is left out.
        head, _, last = name.rpartition(" ")
        if len(head) >= SHORTEST_BEGINNING and not GENERIC.sub("", last):
            self.by_beginning[head].add(place_id)

    def find(self, text: str) -> list[Match]:
        """Places named in a normalised text, best first; more than one where names are alike."""
        found = tokens(text)
        windows = _windows(found, text)
        matches = self._exact(windows, len(found)) or self._fuzzy(windows, found) or self._beginning(windows, text)
        least = max((match.score for match in matches.values()), default=0.0) - MARGIN
        rivals = [match for match in matches.values() if match.score >= least]
        return sorted(rivals, key=lambda m: (-m.score, m.place_id))

    def _exact(self, windows: Iterable[_Window], size: int) -> dict[str, Match]:
        """Names that stand there letter by letter or, failing that, sound by sound; the longest ones win."""
        hits: list[tuple[_Window, float, str]] = []
        for window in windows:
            written = self.by_text.get(re.sub(r"[^\w]", "", window.text), set())
            hits += [(window, SCORE_WRITTEN, place_id) for place_id in written]
            for place_id in self.by_sound.get(window.sound, set()) - written:
                if score := self._heard(window, place_id, size):
                    hits.append((window, score, place_id))
        best: dict[str, Match] = {}
        for window, score, place_id in hits:
            if any(_covers(other.span, window.span) for other, _, _ in hits):
                continue
            if place_id not in best or best[place_id].score < score:
                best[place_id] = Match(place_id, self.kinds[place_id], score, window.span)
        return best

    def _akin(self, window: _Window, place_id: str) -> bool:
        """Whether words that merely sound alike may be meant: no Han among them, or a telling character is the same."""
        han = {character for character in window.text if ord(character) >= FIRST_HAN}
        return not han or bool(han & self.characters[place_id])

    def _heard(self, window: _Window, place_id: str, size: int) -> float:
        """How sure a place is that sounds like the window of a text of `size` tokens; 0 where it means nothing."""
        rest = size - window.size
        if not any(ord(character) >= FIRST_HAN for character in window.text):
            return SCORE_TYPED  # typed in letters: nothing was misheard
        if window.size > SHORT_NAME or (window.size == SHORT_NAME and self._akin(window, place_id)):
            return SCORE_HEARD
        few = FEW_TOKENS if self._akin(window, place_id) else FEW_UNLIKE
        return SCORE_ONLY_SOUND if rest <= few else 0.0

    def _fuzzy(self, windows: Sequence[_Window], found: Sequence[Token]) -> dict[str, Match]:
        """Names that sound nearly like some of the words."""
        whole = "".join(token.sound for token in found)
        if len(whole) < SHORTEST_FUZZY:
            return {}
        near = process.extract(whole, self.fuzzy, scorer=fuzz.partial_ratio, score_cutoff=ALIKE_ALONE, limit=40)
        best: dict[str, Match] = {}
        for key, _, _ in near:
            for window in windows:
                if len(window.sound) < SHORTEST_FUZZY or window.sound == key:
                    continue  # the very sound was judged before
                cutoff = ALIKE_ALONE if len(found) - window.size <= FEW_TOKENS else ALIKE_INSIDE
                score = _likeness(key, window.sound, cutoff) - NEAR_MISS
                if score <= 0:
                    continue
                for place_id in self.by_sound[key]:
                    known = best.get(place_id)
                    if (known is None or known.score < score) and self._akin(window, place_id):
                        best[place_id] = Match(place_id, self.kinds[place_id], score, window.span)
        return best

    def _beginning(self, windows: Iterable[_Window], text: str) -> dict[str, Match]:
        """Names of which only the beginning was said, and hardly anything else."""
        for window in sorted(windows, key=lambda w: -w.size):
            ids = self.by_beginning.get(_GENERIC_HAN.sub("", window.text))
            rest = _DESIGNATORS.sub("", text[: window.span[0]] + text[window.span[1] :])
            if ids and len(tokens(rest)) <= 1:
                return {i: Match(i, self.kinds[i], SCORE_BEGINNING, window.span) for i in ids}
        return {}


def _covers(outer: tuple[int, int], inner: tuple[int, int]) -> bool:
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]


def _likeness(key: str, heard: str, cutoff: float) -> float:
    """How alike two sounds are, as a whole and without their generic words; 0 below `cutoff`."""
    whole = fuzz.ratio(key, heard, score_cutoff=cutoff)
    if not whole:
        return 0.0
    key_stem, heard_stem = stem(key), stem(heard)
    if not key_stem or not heard_stem:
        return 0.0
    stems = fuzz.ratio(key_stem, heard_stem, score_cutoff=cutoff - STEM_ALLOWANCE)
    return min(whole, stems + STEM_ALLOWANCE / 2) if stems else 0.0
