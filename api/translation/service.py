"""Translating by the chosen translator, and by the glossary where that fails: visibly, and never late."""

import asyncio
import re

import structlog

from api.translation.base import Language, Refused, Translation, Translator
from api.translation.glossary import glossary

log = structlog.get_logger(__name__)

#: Seconds that a provider may take; an agent waits for it.
SECONDS = 3.0
#: Numbers that may name a person: telephones, accounts, identity cards, tickets. They do not leave the house.
_NUMBER = re.compile(r"(?<![A-Za-z0-9])\+?\d(?:[ -]?\d){5,}[Xx]?(?![A-Za-z0-9])")
_MARK = re.compile(r"\[\s*#\s*(\d+)\s*\]")


def other(language: Language) -> Language:
    """The language that is not this one."""
    return "en" if language == "zh" else "zh"


async def translate(translator: Translator, text: str, source: Language, target: Language) -> Translation:
    """What the translator makes of a text, with the glossary's terms; the terms alone where it fails.

    Never raises for what a provider does; `failure` says it. Nothing of the text is logged.
    """
    terms = glossary().terms(text, source)
    failure = ""
    if translator.kind == "machine":
        hidden, numbers = _without_numbers(text)
        try:
            async with asyncio.timeout(SECONDS):
                made = await translator.translate(hidden, source, target)
            if made.text and made.text.strip():
                said = _with_numbers(made.text.strip(), numbers)
                return Translation("machine", translator.name, said, terms)
            failure = "failed"
        except TimeoutError:
            failure = "timeout"
        except Refused:
            failure = "refused"
        except Exception as error:  # noqa: BLE001 a provider's fault is no reason to leave the agent without anything
            failure = "failed"
            log.warning("translation.broken", provider=translator.name, error=type(error).__name__)
        log.warning("translation.fell_back", provider=translator.name, why=failure)
    return Translation("glossary", glossary().name, terms=terms, failure=failure)


def _without_numbers(text: str) -> tuple[str, list[str]]:
    """The text with `[#1]`, `[#2]`, … in the place of numbers, and these."""
    numbers: list[str] = []

    def hide(found: re.Match[str]) -> str:
        numbers.append(found[0])
        return f"[#{len(numbers)}]"

    return _NUMBER.sub(hide, text), numbers


def _with_numbers(text: str, numbers: list[str]) -> str:
    """The translation with the numbers in their places again; a mark that was never given stays."""

    def show(found: re.Match[str]) -> str:
        place = int(found[1]) - 1
        return numbers[place] if 0 <= place < len(numbers) else found[0]

    return _MARK.sub(show, text)
