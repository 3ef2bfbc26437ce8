"""Answers counted, as tables in Markdown and as figures."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

from scripts.evaluation.answers import OUT_OF_SCOPE, REFUSED, Answer
from scripts.evaluation.data import KINDS, LANGUAGES, Example

Figures = dict[str, float]


def share(marks: Iterable[bool]) -> float:
    """Percent of the marks that are true, to a tenth; 0 of none."""
    found = list(marks)
    return round(100 * sum(found) / len(found), 1) if found else 0.0


def figures(answers: Sequence[Answer]) -> dict[str, Figures]:
    """Per language: all, in_scope, wrongly_refused, refused (of what is out of scope), and each kind, in percent."""
    found = {}
    for language in LANGUAGES:
        mine = [a for a in answers if a.example.language == language]
        ours = [a for a in mine if a.example.intent != OUT_OF_SCOPE]
        found[language] = {
            "all": share(a.right for a in mine),
            "in_scope": share(a.right for a in ours),
            "wrongly_refused": share(a.intent in REFUSED for a in ours),
            "refused": share(a.right for a in mine if a.example.intent == OUT_OF_SCOPE),
            **{kind: share(a.right for a in mine if a.example.kind == kind) for kind in KINDS},
        }
    return found


def summary(answers: Sequence[Answer]) -> list[str]:
    """A row a language."""
    lines = ["| | utterances | right | of those in scope | wrongly refused or asked back | out of scope: refused |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for language, found in figures(answers).items():
        count = sum(a.example.language == language for a in answers)
        cells = [f"{found[name]:.1f} %" for name in ("all", "in_scope", "wrongly_refused", "refused")]
        lines.append(f"| {' | '.join([LANGUAGES[language], str(count), *cells])} |")
    return lines


def by_kind(answers: Sequence[Answer]) -> list[str]:
    """A row a kind: percent right, and of how many."""
    found = figures(answers)
    lines = [f"| kind | {' | '.join(LANGUAGES.values())} |", "| --- | --- | --- |"]
    for kind, name in KINDS.items():
        counts = [sum(a.example.kind == kind and a.example.language == language for a in answers) for language in found]
        cells = [f"{found[language][kind]:.1f} % ({count})" for language, count in zip(found, counts, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def by_likeness(answers: Sequence[Answer], learnt: Sequence[Example]) -> list[str]:
    """A row for each ten percent that an utterance's nearest training example is like it, letter by letter."""
    texts = list({example.text.lower() for example in learnt})
    tens: dict[int, list[Answer]] = {}
    for a in answers:
        likeness = process.extractOne(a.example.text.lower(), texts, scorer=fuzz.ratio)[1]
        tens.setdefault(min(8, int(likeness // 10)), []).append(a)
    lines = ["| nearest example | utterances | right |", "| --- | --- | --- |"]
    for ten, mine in sorted(tens.items()):
        lines.append(f"| {10 * ten}–{10 * ten + 9} % alike | {len(mine)} | {share(a.right for a in mine):.1f} % |")
    return lines


def by_intent(answers: Sequence[Answer]) -> list[str]:
    """A row an intent: precision, recall, F1 in percent, and the number of utterances."""
    lines = [f"| intent | {' | '.join(LANGUAGES.values())} |", "| --- | --- | --- |"]
    for intent in sorted({a.example.intent for a in answers}):
        cells = []
        for language in LANGUAGES:
            mine = [a for a in answers if a.example.language == language]
            hit = sum(a.intent == a.example.intent == intent for a in mine)
            said = sum(a.intent == intent for a in mine)
            meant = sum(a.example.intent == intent for a in mine)
            values = 100 * hit / max(1, said), 100 * hit / max(1, meant), 200 * hit / max(1, said + meant)
            cells.append(f"{' · '.join(f'{value:.0f}' for value in values)} ({meant})")
        lines.append(f"| {intent} | {' | '.join(cells)} |")
    return lines


def confusions(answers: Sequence[Answer], most: int) -> list[str]:
    """The commonest mistakes, a line a language."""
    lines = []
    for language, name in LANGUAGES.items():
        mine = (a for a in answers if a.example.language == language and not a.right)
        wrong = Counter((a.example.intent, a.intent) for a in mine).most_common(most)
        lines += [f"{name}: {'; '.join(f'{meant} → {taken} {times}' for (meant, taken), times in wrong)}.", ""]
    return lines


def worst(answers: Sequence[Answer], most: int) -> list[str]:
    """The mistakes that the bot was surest of, for each language."""
    lines = []
    for language in LANGUAGES:
        wrong = [a for a in answers if a.example.language == language and not a.right and a.intent not in REFUSED]
        for a in sorted(wrong, key=lambda a: -a.confidence)[:most]:
            text = a.example.text.replace("|", "¦")
            lines.append(f"- {text} — meant {a.example.intent}, taken for {a.intent} ({a.confidence:.2f})")
    return lines
