"""Where words begin and end, in either language: jieba for Chinese runs, spaCy's English rules for the rest."""

import logging
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jieba
import spacy

from bot.nlu.text import HAN, Normal

TERMS = Path(__file__).resolve().parents[1] / "data" / "lookups" / "terms.txt"
_HAN_RUN = re.compile(f"[{HAN}]+")


def words(normal: Normal) -> list[tuple[int, int]]:
    """Spans of the words in `normal.text`, blanks left out."""
    text, spans, done = normal.text, [], 0
    for run in _HAN_RUN.finditer(text):
        spans += _other(text, done, run.start())
        offset = run.start()
        for word in _jieba().cut(run[0], HMM=False):
            spans.append((offset, offset + len(word)))
            offset += len(word)
        done = run.end()
    return spans + _other(text, done, len(text))


def _other(text: str, start: int, end: int) -> list[tuple[int, int]]:
    if not text[start:end].strip():
        return []
    return [
        (start + token.idx, start + token.idx + len(token.text))
        for token in _english()(text[start:end])
        if token.text.strip()
    ]


@lru_cache(maxsize=1)
def _english() -> Any:
    return spacy.blank("en").tokenizer


@lru_cache(maxsize=1)
def _jieba() -> Any:
    jieba.setLogLevel(logging.WARNING)
    splitter = jieba.Tokenizer()
    splitter.initialize()
    for line in TERMS.read_text("utf-8").splitlines():
        term = line.partition("#")[0].strip()
        if term:
            splitter.add_word(term)
    return splitter
