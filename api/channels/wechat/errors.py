"""What can go wrong in a call to WeChat. No text here holds a token, a secret or a URL."""

from dataclasses import dataclass


@dataclass
class NotReached(Exception):
    """Nothing was done: no connection, or WeChat was out of order. `after`: seconds to wait, if it said so."""

    why: str
    after: float | None = None

    def __str__(self) -> str:
        return self.why


@dataclass
class AnswerLost(Exception):
    """The call went out and was not answered: it may have been done."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass
class WechatError(Exception):
    """WeChat refused: its code and its words."""

    code: int
    words: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()


@dataclass
class TooLarge(Exception):
    """A media file of more bytes than may be kept."""

    most: int

    def __str__(self) -> str:
        return f"more than {self.most} bytes"
