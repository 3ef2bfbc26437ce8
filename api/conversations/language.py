"""Which language a customer's message asks for. Pure."""

import re
from typing import Literal

Language = Literal["zh", "en"]

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+")

#: Words that only somebody who writes English uses. No names, no address words (road, building, unit …), no "ok",
#: nothing that is pinyin too (you, he, can, long …).
ENGLISH = frozenset(
    """
    about account address advice afraid after again agent ago air all already also always am and another answer any
    anybody anyone anything apologise apply are around arrears arrive as ask assistant at available away back bad
    balance be because been before being bill billing bills black blackout blackouts blew book bought break breaker
    bring broke broken brown bubbles burning burst button buy by cable call came can't cancel cannot card charge
    charged charges cheap check chinese cleared clock close cloudy coffee cold color colour come comes coming
    company compensation complain complaint computer connect consumption cost could couldn't credit crew current
    cut damage damaged dangerous dark date day days dead deposit did didn't dirty disconnected discount do does
    doesn't doing don't down dripping drop during each earth electric electrical electrician electricity else email
    emergency english enough ever every everything expect expected expensive explain explode exploded fault faulty
    feel few file find fire first fix fixed flat flicker flickering flood flooded follow for found fridge from full
    gas get gets give go goes going gone good got had hall hand happen happened happening hard has hasn't have
    haven't hello help her here him his hole home hour hours how human hurt husband i i'd i'll i'm i've if
    important in income increase information injured inside installed is isn't issue it it's its just keep keeps
    kept know language last late lately later leak leakage leaking leaks left less let letter light lights like
    line live living load loading look lost lot loud low main maintenance make manager many maybe mean meter
    midnight minute minutes moment money month months more morning moved much must my near nearest need needs
    neighbor neighbour neighbours never new news next nobody noise not nothing notice now number of off office
    often old on once one only open opening or order other our out outage outages outlet outlets outside over
    overcharged owe own paid panel pay payment payments people person phone pipe planned please point pole poles
    police poor possible power prepaid pressure price problem quality question rate reading really received
    recharge reconnect refund refuse repair repaired repeat replace report reported reset restore restored run
    running rusty said same saw say says see seems send sent service shock should show shut since small smell
    smells smoke smoking so socket some somebody someone something soon sorry spark sparking sparks speak spoil
    spoiled staff start started status still stop stopped stove strange street's strong submit supply sure surge
    switch take talk tap tariff taste tell temporary than thank thanks that that's the their them then there
    there's these they thing things think this thought ticket till time times to today told tomorrow tonight too
    took top transfer tried trip tripped tripping trips try trying turn turned two understand until up update upset
    us use used very voltage wait waiting want was wasn't water way we weak week weeks well went were what what's
    when where whether which while who whole why wife will wire wires with won't wondering work worked working
    works worse would wrong yellow yesterday yet your yourself
    """.split()  # noqa: SIM905
)
#: Words that say something only where nothing else is known yet.
ENGLISH_OPENERS = frozenset("hi hey yes yeah yep no nope bye goodbye dear morning evening".split())  # noqa: SIM905

#: Manners that people of either language borrow: they do not ask for another language.
BORROWED = frozenset("yes please no thanks thank you ok okay sure sorry".split())  # noqa: SIM905
BORROWED_HAN = re.compile(r"\W*(?:谢谢|多谢|好的?|是的?|不是|对|嗯|可以|没有|行)\W*")

#: A street address or the name of a place, and nothing that makes a sentence of it.
ADDRESS_END = re.compile(r"[号栋幢座楼室户层单元路街巷弄村镇乡区县市苑园城庄湾府邸庭轩阁里坊厦寓场社组]$")
SENTENCE = re.compile(
    r"[我你您他她吗呢吧啊了没不停怎什请谢哪为是有说问修断坏漏跳费贵想要能会给帮查转]|人工|客服|多少|何时|几点|几时"
)
NAME = re.compile(r"^[\u3400-\u9fff·]{2,4}$")
TOPIC = re.compile(r"[电水火费表闸灯线管漏停修价账单网点投诉你好早晚安再见对行嗯是否可以人工客服英中文语退办缴充卡井]")


def language_of(text: str, current: str | None) -> Language:
    """The language to go on in after `text`, `zh` where nothing tells.

    Text that mixes both, bare names of places and people, numbers, emoji and "OK" keep the current language.
    """
    known: Language = "en" if current == "en" else "zh"
    plain = NOT_WORDS.sub(" ", text).lower().replace("\u2019", "'")
    words = set(WORD.findall(plain))
    english = bool(words & ENGLISH) or (current is None and bool(words & ENGLISH_OPENERS))
    if current is not None and words and words <= BORROWED:
        return known
    if current == "en" and BORROWED_HAN.fullmatch(plain):
        return "en"
    han = HAN.search(plain)
    if han is None:
        return "en" if english else known
    if english:
        return known
    if current == "en" and _names_only(plain):
        return "en"
    return "zh"


def _names_only(text: str) -> bool:
    """True for Chinese text that is only an address or a name: an English speaker has to write those, too."""
    bare = re.sub(r"[^\w·]", "", text)
    if SENTENCE.search(bare):
        return False
    if ADDRESS_END.search(re.sub(r"[\da-z]+$", "", bare)):
        return True
    return bool(NAME.match(bare)) and TOPIC.search(bare) is None
