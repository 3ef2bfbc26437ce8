"""docs/benchmark.md: a section a part; a run writes those that it measured and leaves the others."""

import os
import platform
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from scripts.benchmark.console import AGENT_EVERY, CONVERSATIONS_EACH, CUSTOMER_EVERY, SECONDS, Console, Delays
from scripts.benchmark.turns import AT_ONCE, EXAMPLES_PER_INTENT, TURNS, Turns
from scripts.benchmark.understanding import Understanding
from scripts.evaluation import tables
from scripts.evaluation.answers import Answer
from scripts.evaluation.data import KINDS, LANGUAGES, ROOT

REPORT = ROOT / "docs" / "benchmark.md"
INTRODUCTION = """# The bot beside stock Rasa, and the console under load

`make bench` writes this page. Of the bot, ours is `config.yml`; stock is the pipeline and the policies of `rasa init`
in the same version of Rasa, with JiebaTokenizer for Chinese. Both train on the same examples, on the same machine, in
one run.
`PARTS=understanding`, `PARTS=turns` or `PARTS=console` measures one part and leaves the others as they stand.
"""
UNDERSTANDING, TURN, CONSOLE = "Understanding", "A whole turn", "The console under load"
HEADINGS = (UNDERSTANDING, TURN, CONSOLE)
MEASURES = {
    "all": "right",
    "in_scope": "of those in scope",
    "wrongly_refused": "wrongly refused or asked back",
    "refused": "out of scope: refused",
}


def machine() -> str:
    """What it runs on, and how busy that is."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({platform.machine()}); load average at the start {os.getloadavg()[0]:.1f}."


def understanding(found: Understanding, where: str) -> list[str]:
    """As Markdown, without its heading."""
    of = "all training examples" if found.share == 1 else f"each {_ordinal(found.share)} training example"
    counts = ", ".join(f"{LANGUAGES[language]} {count}" for language, count in found.examples.items())
    text = (
        f"{where} Trained on {of} (`SHARE={found.share}`): {counts}. Asked: the held-out utterances of "
        "[evaluation.md](evaluation.md), which neither side was trained on, by turns; right, refused and asked back "
        "are counted as there. Stock Rasa is a model a language, and a service of both needs two; ours is one for "
        "both. Training is measured from the start of the process to its end."
    )
    return [*_wrapped(text), "", *_quality(found), "", *_costs(found), ""]


def turns(found: Mapping[str, Turns], where: str) -> list[str]:
    """As Markdown, without its heading."""
    ours, stock = found["ours"], found["stock"]
    text = (
        f"{where} English, {EXAMPLES_PER_INTENT} examples an intent, a rule and a response an intent, conversations in "
        f"memory, {TURNS} messages through Rasa's REST channel: one by one, then {AT_ONCE} at once."
    )
    lines = [
        *_wrapped(text),
        "",
        "| | ours | stock | gain |",
        "| --- | --- | --- | --- |",
    ]
    rows = (
        ("training, s", ours.training, stock.training),
        ("start to first answer, s", ours.start, stock.start),
        ("resident memory, MB", ours.memory, stock.memory),
        ("turn: median, ms", ours.p50, stock.p50),
        ("turn: 95th percentile, ms", ours.p95, stock.p95),
        (f"{AT_ONCE} at once: 95th percentile, ms", ours.busy_p95, stock.busy_p95),
    )
    lines += [f"| {label} | {mine:.1f} | {theirs:.1f} | {theirs / mine:.1f} × |" for label, mine, theirs in rows]
    gain = ours.rate / stock.rate
    return [*lines, f"| {AT_ONCE} at once: turns a second | {ours.rate:.1f} | {stock.rate:.1f} | {gain:.1f} × |", ""]


def console(found: Sequence[Console], where: str) -> list[str]:
    """As Markdown, without its heading."""
    text = (
        f"{where} Front desks that share one port and one PostgreSQL; the customers, and the agents' consoles (each "
        "with the stream of hints and all fragments that the page fetches), run in another process on the same "
        f"machine. Each agent has {CONVERSATIONS_EACH} conversations, the first of them open; each customer writes "
        f"every {CUSTOMER_EVERY:.0f} s and waits for news, each agent answers every {AGENT_EVERY:.0f} s, for "
        f"{SECONDS:.0f} s. One more agent works in Chromium. Measured from the desk's 202 to a customer's message "
        "until the line is in the agent's transcript, in his list, and in Chromium's page."
    )
    lines = [*_wrapped(text), ""]
    lines.append(_row("", (f"{_count(one.agents, 'agent')}, {_count(one.desks, 'front desk')}" for one in found)))
    lines.append(_row("---", ["---"] * len(found)))
    lines.append(_row("conversations", (str(one.conversations) for one in found)))
    lines.append(_row("customers' messages a second", (f"{one.rate:.1f}" for one in found)))
    lines.append(_row("fragments a second", (f"{one.fetches:.0f}" for one in found)))
    for label, of in (
        ("message accepted", "taken"),
        ("transcript", "shown"),
        ("list", "listed"),
        ("Chromium", "browser"),
    ):
        delays: list[Delays] = [getattr(one, of) for one in found]
        lines.append(_row(f"{label}: median, ms", (f"{one.p50:.0f}" for one in delays)))
        lines.append(_row(f"{label}: 95th percentile, ms", (f"{one.p95:.0f}" for one in delays)))
        lines.append(
            _row(f"{label}: measured, not there 3 s after the end", (f"{one.count}, {one.missing}" for one in delays))
        )
    lines.append(_row("front desks: cores", (f"{one.cores:.2f}" for one in found)))
    return [*lines, ""]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"


def write(measured: Mapping[str, Sequence[str]]) -> None:
    """Sections by heading: these are replaced, others of the page kept."""
    sections = _sections() | {heading: "\n".join(lines) for heading, lines in measured.items()}
    page = [INTRODUCTION]
    page += [f"## {heading}\n\n{sections[heading].strip()}\n" for heading in HEADINGS if heading in sections]
    REPORT.write_text("\n".join(page), "utf-8")


def _sections() -> dict[str, str]:
    if not REPORT.is_file():
        return {}
    _, *pieces = re.split(r"^## (.+)$", REPORT.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def _quality(found: Understanding) -> list[str]:
    columns: list[tuple[str, str, list[Answer]]] = []
    for language, name in LANGUAGES.items():
        columns += [
            (f"{name}: ours", language, [a for a in found.ours.answers if a.example.language == language]),
            (f"{name}: stock", language, found.stock[language].answers),
        ]
    figures = [tables.figures(answers)[language] for _, language, answers in columns]
    wrong = [sum(not a.right for a in answers) for *_, answers in columns]
    lines = [_row("", (title for title, *_ in columns)), _row("---", ("---" for _ in columns))]
    lines += [_row("utterances", (str(len(answers)) for *_, answers in columns))]
    lines += [_row(label, (f"{one[key]:.1f} %" for one in figures)) for key, label in MEASURES.items()]
    lines += [_row("wrong answers", map(str, wrong))]
    ratios = [f"{mine / max(1, theirs):.2f}" for mine, theirs in zip(wrong[::2], wrong[1::2], strict=True)]
    lines += [_row("wrong answers, ours to stock", (cell for ratio in ratios for cell in (ratio, "1")))]
    return lines + [_row(f"right: {name}", (f"{one[kind]:.1f} %" for one in figures)) for kind, name in KINDS.items()]


def _costs(found: Understanding) -> list[str]:
    names = [f"stock, {LANGUAGES[language]}" for language in found.stock]
    lines = [_row("", ["ours, both languages", *names, "gain"]), _row("---", ["---"] * (len(names) + 2))]
    models = list(found.stock.values())
    lines += [
        _cost("training, s", found.ours.training, [model.training for model in models]),
        _cost("resident memory after it, MB", found.ours.memory, [model.memory for model in models]),
    ]
    for language, name in LANGUAGES.items():
        times: list[float | None] = [model.times.get(language) for model in models]
        lines.append(_cost(f"a message in {name}: median, ms", found.ours.times[language], times))
    return lines


def _cost(label: str, ours: float, stock: Sequence[float | None]) -> str:
    """A row; where both of stock Rasa's models have a value, a service of both languages needs both: they add up."""
    cells = ["–" if value is None else f"{value:.1f}" for value in stock]
    return _row(label, [f"{ours:.1f}", *cells, f"{sum(value or 0 for value in stock) / ours:.1f} ×"])


def _row(label: str, cells: Iterable[str]) -> str:
    return f"| {' | '.join([label, *cells])} |".replace("|  |", "| |")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 120, break_long_words=False, break_on_hyphens=False)


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
