"""Danger first: every message is scanned before its length, its sender or the bot is considered."""

from api.danger.load import load
from api.danger.rules import Danger, Language, Scanner

__all__ = ["Danger", "Language", "Scanner", "load", "safety_words", "scan"]


def scan(text: str) -> Danger | None:
    """The danger in one customer message of any length, or None."""
    return load().scan(text)


def safety_words(danger: Danger, language: str, *, voice: bool = False, hotline: str = "") -> str:
    """The fixed safety words; `voice` gives the short spoken form, `hotline` the utility's number to name."""
    return load().safety_words(danger, language, voice=voice, hotline=hotline)
