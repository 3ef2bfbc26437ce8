"""Troubleshooting guides: loading and checking `bot/data/guides/*.yml`.

A guide is a tree of steps. A step either asks (text, options, what happens on each), fetches a fact (and branches on
it), or ends. The checks make a guide safe to change without touching code: no dead end, no unreachable step, no
missing language, and no step in which a customer touches wiring, a knife switch, a sealed box or a socket (B9, B14).

    python -m bot.actions.guides      checks them all and says what is wrong
"""

import re
import sys
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FOLDER = Path(__file__).parent.parent / "data" / "guides"

#: Things a customer is never told to handle; a sentence may name them to warn, or as a possible cause.
_FORBIDDEN = re.compile(
    r"闸刀|刀闸|接线|电线|线头|裸线|火线|零线|保险丝|熔断器|插座|插头|封印|铅封|封条"
    r"|(?:打开|撬|拆|掀|揭).{0,4}(?:表箱|电表|水表|表盖)|(?:表箱|电表|水表|表盖).{0,3}(?:打开|撬开|拆|掀|揭)"
    r"|knife switch|\bwiring|\bwires?\b|\bfuses?\b|socket|\bplug|\bseal|open (?:up )?the (?:meter|sealed)",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"不要(?!紧|怕|担心)|请勿|切勿|别(?!怕|担心|着急|的)|不能|避免|远离"
    r"|(?:do not|don't)(?! (?:worry|be afraid|hesitate))|never|keep away|without touching"
    r"|\bmay (?:leak|be|have)\b|可能(?:漏电|短路|老化|受潮|有)",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"[。！？；\n]|[.!?;](?:\s|$)")


class GuideError(Exception):
    """A guide that must not be used; the message lists every fault found."""


class Text(BaseModel):
    """A sentence in both languages, and a shorter one where it is too long for the telephone."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    voice: "Text | None" = None

    @property
    def both(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}

    def on(self, *, voice: bool) -> dict[str, str]:
        """Both languages, as they are written or as they are spoken."""
        return self.voice.both if voice and self.voice else self.both


class GuideOption(BaseModel):
    """One answer to a step's question. `words` are regular expressions that mean it, tried in the file's order."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    label: Text
    words: list[str] = []
    #: `yes` or `no` where a plain yes or no means this option.
    means: Literal["yes", "no"] | None = None
    next: str


class Step(BaseModel):
    """Exactly one of ask, fetch or end."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    say: Text | None = None
    ask: Text | None = None
    options: list[GuideOption] = []
    #: Where an "I don't know" or "I dare not" leads.
    unsure: str | None = None
    #: A fact the journey provides, by name, and the step for each of its values (`else` for any other).
    fetch: str | None = None
    cases: dict[str, str] = {}
    end: Literal["solved", "explained", "ticket", "person"] | None = None
    #: For a ticket: what the dispatcher reads first.
    symptom: Text | None = None
    topic: str = ""
    #: Name outlets at this end: the nearest ones, or service halls (for papers and cards).
    outlets: Literal["near", "hall"] | None = None

    @property
    def followers(self) -> set[str]:
        return {o.next for o in self.options} | set(self.cases.values()) | ({self.unsure} if self.unsure else set())


class Guide(BaseModel):
    """A whole guide; `source` names the process ids it implements."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    guide: str
    utility: Literal["power", "water"]
    source: list[str] = Field(min_length=1)
    start: str
    steps: dict[str, Step]

    def faults(self) -> list[str]:
        """Everything wrong with it beyond its schema."""
        found = [f"step {name}: {fault}" for name, step in self.steps.items() for fault in self._step_faults(step)]
        reached, queue = set(), [self.start]
        while queue:
            name = queue.pop()
            if name in reached or name not in self.steps:
                continue
            reached.add(name)
            queue += self.steps[name].followers
        if self.start not in self.steps:
            found.append(f"start: there is no step {self.start}")
        found += [f"step {name}: cannot be reached" for name in self.steps if name not in reached]
        ending = {name for name, step in self.steps.items() if step.end}
        while more := {name for name, step in self.steps.items() if step.followers & ending} - ending:
            ending |= more
        found += [
            f"step {name}: a dead end, no end can be reached from it" for name in self.steps if name not in ending
        ]
        return found

    def _step_faults(self, step: Step) -> list[str]:
        found = []
        if sum(kind is not None for kind in (step.ask, step.fetch, step.end)) != 1:
            found.append("needs exactly one of ask, fetch, end")
        if step.ask and (len(step.options) < 2 or not step.unsure):
            found.append("a question needs at least two options and an `unsure` step")
        if step.fetch and "else" not in step.cases:
            found.append("a fact needs an `else` case")
        if step.end == "ticket" and (step.symptom is None or not step.topic):
            found.append("a ticket needs a symptom and a topic")
        if step.end in ("solved", "explained") and step.say is None:
            found.append("an end without a ticket needs words")
        found += [f"there is no step {name}" for name in step.followers if name not in self.steps]
        texts = [text for text in (step.say, step.ask) if text]
        for text in (*texts, *(text.voice for text in texts if text.voice)):
            for sentence in _SENTENCES.split(f"{text.zh}\n{text.en}"):
                if _FORBIDDEN.search(sentence) and not _WARNING.search(sentence):
                    found.append(f"tells a customer to handle something dangerous: {sentence.strip()}")
        for option in step.options:
            for pattern in option.words:
                try:
                    re.compile(pattern)
                except re.error as error:
                    found.append(f"option {option.id}: {pattern!r} is no regular expression ({error})")
        return found


def load_guides(folder: Path = FOLDER) -> dict[str, Guide]:
    """All guides of a folder by name. Raises GuideError naming every fault of every file."""
    guides: dict[str, Guide] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            guide = Guide.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            faults.append(f"{path.name}: {error}")
            continue
        faults += [f"{path.name}: {fault}" for fault in guide.faults()]
        if guide.guide != path.stem:
            faults.append(f"{path.name}: names itself {guide.guide}")
        guides[guide.guide] = guide
    if faults:
        raise GuideError("\n".join(faults))
    return guides


@cache
def guide_named(name: str) -> Guide:
    """One guide of the project's folder."""
    return load_guides()[name]


if __name__ == "__main__":
    try:
        print(f"{len(load_guides())} guides are sound")
    except GuideError as problem:
        sys.exit(str(problem))
