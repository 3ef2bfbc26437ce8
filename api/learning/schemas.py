"""JSON shapes of misunderstood wordings and their review."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.conversations.insight import Guess

#: Why a wording is on the list: the bot asked back, it was unsure, or a person was asked for right after.
Why = Literal["asked_back", "unsure", "person_next"]


class MisunderstoodOut(BaseModel):
    """A wording to review. `text` holds no personal data: numbers and names in it are made up."""

    message_id: str
    conversation_id: str
    #: Its line in the conversation.
    seq: int
    text: str
    language: str
    intent: str
    confidence: float
    #: The likeliest intents, the best first.
    ranking: list[Guess]
    why: list[Why]
    at: datetime


class Review(BaseModel):
    """What a wording really means: one of the bot's intents, or `none` where it is no example for any."""

    intent: str = Field(min_length=1, max_length=40)
    #: The wording to learn, if not the one shown.
    text: str | None = Field(default=None, min_length=1, max_length=300)


class Reviewed(BaseModel):
    """What came of it. `text`: the example as it was written down, empty for `none`; `added`: false where the bot was
    taught it already."""

    message_id: str
    intent: str
    text: str
    added: bool


class IntentsOut(BaseModel):
    """What a wording can be reviewed as."""

    items: list[str]
