"""Reads words.yml and the table of Traditional characters, once."""

from functools import lru_cache
from pathlib import Path

import yaml
from opencc import OpenCC

from api.danger.rules import Scanner

WORDS = Path(__file__).with_name("words.yml")


@lru_cache(maxsize=1)
def _characters() -> dict[str, str]:
    """Traditional → Simplified (OpenCC's t2s, character by character), full width → half width, capital → small."""
    variants = "".join(map(chr, range(0x3400, 0xA000)))
    simplified = OpenCC("t2s").convert("\n".join(variants)).split("\n")
    table = {old: new for old, new in zip(variants, simplified, strict=True) if old != new}
    table |= {chr(code): chr(code - 0xFEE0).lower() for code in range(0xFF21, 0xFF5B)}
    return table | {chr(code): chr(code).lower() for code in range(0x41, 0x5B)}


@lru_cache(maxsize=4)
def load(path: Path = WORDS) -> Scanner:
    """The scanner for a words file. Raises ValueError where the file contradicts itself."""
    return Scanner(yaml.safe_load(path.read_text(encoding="utf-8")), _characters())
