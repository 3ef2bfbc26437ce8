"""What a customer's text must keep to, whoever wrote it: B1, B5, B9, B14, B16, the telephone. Pure.

The shipped texts are held to it by the tests, a supervisor's when he saves them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as kept

from api.channels.voice.speech import spoken
from api.knowledge.model import PLACEHOLDERS, Article, Facts, Pair, Text, filled, placeholders

#: What placeholders are filled with where there is no conversation: for trying how long a text becomes.
SAMPLE: Facts = {
    "name": {"zh": "王建国", "en": "Nick Cole"},
    "ticket": "1234 5678 9012",
    "agent": {"zh": "李梅", "en": "Li Mei"},
    "address": {"zh": "海棠晓月3栋", "en": "Building 3, Haitang Xiaoyue"},
}
#: Characters that the telephone says as one answer.
LONGEST_SPOKEN = {"zh": 70, "en": 220}
#: B1: 对不起 for 抱歉, 请讲 for 你说, whole words, no command; B16: no filler.
BAD_ZH = re.compile(
    r"抱歉|你说|你(?!们好)|漏保|招商|农业|工商|必须|不许|不准|赶紧|快点|一卡通|请核实|电工已查|请先联系|强烈要求"
)
BAD_EN = re.compile(r"\b(?:you must|you have to|hurry|asap|pls|RCD|calm down|unfortunately)\b|!", re.IGNORECASE)
ON_A_SCREEN = re.compile(
    r"点击|点选|按钮|下面的|下方|页面|输入框|链接|网址|\b(?:click|button|type|below|link)\b", re.IGNORECASE
)
#: A sentence that asks or allows the customer to do something.
TELLS_TO = re.compile(r"请|您可以|\b(?:please|you (?:can|may))\b", re.IGNORECASE)
#: What no customer may handle (B9, B14), and a sentence that says so; the bot's guides are held to the same.
FORBIDDEN = re.compile(
    r"闸刀|刀闸|接线|电线|线头|裸线|火线|零线|保险丝|熔断器|插座|插头|封印|铅封|封条"
    r"|(?:打开|撬|拆|掀|揭).{0,4}(?:表箱|电表|水表|表盖)|(?:表箱|电表|水表|表盖).{0,3}(?:打开|撬开|拆|掀|揭)"
    r"|knife switch|\bwiring|\bwires?\b|\bfuses?\b|socket|\bplug|\bseal|open (?:up )?the (?:meter|sealed)",
    re.IGNORECASE,
)
WARNING = re.compile(
    r"不要(?!紧|怕|担心)|请勿|切勿|别(?!怕|担心|着急|的)|不能|避免|远离"
    r"|(?:do not|don't)(?! (?:worry|be afraid|hesitate))|never|keep away|without touching"
    r"|\bmay (?:leak|be|have)\b|可能(?:漏电|短路|老化|受潮|有)",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"[。！？；\n]|[.!?;](?:\s|$)")
#: What an article where the customer must not act says in every form.
SAYS_NOT_TO = re.compile(r"请(?:先)?不要|不要|保持断开|报警|do not|leave it off|have the police", re.IGNORECASE)
#: Neither HTML nor Markdown: a chat shows it, the telephone says it.
MARKUP = re.compile(r"<[a-z/!][^>]*>|\*\*|__|`|^#+ |!?\[[^\]]*\]\([^)]*\)|&#?\w+;", re.IGNORECASE)
HAN = re.compile("[\u3400-\u9fff]")
LATIN = re.compile("[A-Za-z]")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a text. `field`: title.zh, steps.0.spoken.en …; `code`: a sentence of faults.yml."""

    field: str
    code: str
    values: Mapping[str, str | int] = kept(default_factory=dict)


def reply_faults(text: Text) -> list[Fault]:
    """Everything that keeps a canned reply from customers; none for what may be saved."""
    return [*_placeholders(text), *_text("text", text)]


def article_faults(entry: Article) -> list[Fault]:
    """The same of an article."""
    found = [*_languages("title", entry.title), *_body("body", entry.body)]
    for number, step in enumerate(entry.steps):
        found += _body(f"steps.{number}", step)
    if entry.advice:
        found += _languages("advice", entry.advice)
    found += _languages("document", entry.source.document)
    if any(HAN.search(word) for word in entry.keywords.en):
        found.append(Fault("keywords.en", "not_english"))
    if entry.safety:
        for form, pair in _forms("body", entry.body):
            found += [
                Fault(f"{form}.{language}", "no_warning")
                for language, text in pair.both.items()
                if not SAYS_NOT_TO.search(text)
            ]
    return found


def _forms(name: str, text: Text) -> Iterator[tuple[str, Pair]]:
    """A text as it is written, and as it is said where that differs."""
    yield name, text
    if text.spoken:
        yield f"{name}.spoken", text.spoken


def _body(name: str, text: Text) -> Iterator[Fault]:
    """An article's sentence: nothing fills a placeholder there."""
    for form, pair in _forms(name, text):
        for language, words in pair.both.items():
            if "{" in words or "}" in words:
                yield Fault(f"{form}.{language}", "braces")
    yield from _text(name, text)


def _text(name: str, text: Text) -> Iterator[Fault]:
    for form, pair in _forms(name, text):
        yield from _languages(form, pair)
        for language, words in pair.both.items():
            bad = (BAD_ZH if language == "zh" else BAD_EN).findall(words)
            if bad:
                yield Fault(f"{form}.{language}", "words", {"words": _list(bad)})
            for sentence in SENTENCES.split(words):
                if FORBIDDEN.search(sentence) and TELLS_TO.search(sentence) and not WARNING.search(sentence):
                    yield Fault(f"{form}.{language}", "dangerous", {"sentence": sentence.strip()})
    # What the telephone says is the spoken form where there is one, else the text itself.
    form = f"{name}.spoken" if text.spoken else name
    for language, words in text.aloud.items():
        said = spoken(filled(words, SAMPLE, language), language)
        longest = LONGEST_SPOKEN[language]
        if len(said) > longest:
            values = {"count": len(said), "longest": longest}
            yield Fault(f"{form}.{language}", "too_long_aloud" if text.spoken else "needs_spoken", values)
        if not said:
            yield Fault(f"{form}.{language}", "unspeakable")
        if len(re.findall("[?？]", said)) > 1:
            yield Fault(f"{form}.{language}", "questions")
        if on_screen := ON_A_SCREEN.findall(said):
            yield Fault(f"{form}.{language}", "screen", {"words": _list(on_screen)})


def _languages(name: str, pair: Pair) -> Iterator[Fault]:
    """Each in its own language, and plain."""
    for language, words in pair.both.items():
        bare = re.sub(r"\{\w*\}", "", words)
        if language == "zh" and not HAN.search(bare):
            yield Fault(f"{name}.zh", "not_chinese")
        if language == "en" and (HAN.search(bare) or not LATIN.search(bare)):
            yield Fault(f"{name}.en", "not_english")
        if MARKUP.search(words):
            yield Fault(f"{name}.{language}", "markup")


def _placeholders(text: Text) -> Iterator[Fault]:
    wanted = set(placeholders(text.zh))
    known = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
    for form, pair in _forms("text", text):
        for language, words in pair.both.items():
            if set(placeholders(words)) - PLACEHOLDERS or re.search(r"[{}]", re.sub(r"\{\w+\}", "", words)):
                yield Fault(f"{form}.{language}", "placeholder", {"known": known})
            elif set(placeholders(words)) != wanted:
                yield Fault(f"{form}.{language}", "placeholders_differ")


def _list(words: list[str]) -> str:
    return ", ".join(dict.fromkeys(words))
