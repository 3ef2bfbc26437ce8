"""What conversations look like over HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.conversations.transcript import Line

Owner = Literal["bot", "waiting", "agent"]
Language = Literal["zh", "en"]


class ChoiceOut(BaseModel):
    """An option under a message; send its token to take it."""

    model_config = ConfigDict(from_attributes=True)

    token: str
    label: str


class DeliveryState(BaseModel):
    """What became of a line on its way by a vendor; `via` and `error` say how it went, or why it did not."""

    model_config = ConfigDict(from_attributes=True)

    state: str
    via: str
    error: str


class MessageOut(BaseModel):
    """One line of a conversation."""

    model_config = ConfigDict(populate_by_name=True)

    seq: int
    sender: Literal["customer", "bot", "agent", "system"] = Field(serialization_alias="from")
    text: str
    choices: list[ChoiceOut] = []
    #: Safety words.
    alert: bool = False
    at: datetime

    @classmethod
    def of(cls, line: Line) -> "MessageOut":
        return cls.shown(line.message, line.choices)

    @classmethod
    def shown(cls, message: Any, choices: Sequence[Any]) -> "MessageOut":
        """From anything with the columns of a message, and of its choices."""
        return cls(
            seq=message.seq,
            sender=message.sender,
            text=message.text,
            choices=[ChoiceOut(token=choice.token, label=choice.label) for choice in choices],
            alert=message.alert,
            at=message.at,
        )


class TranscriptLine(MessageOut):
    """A line as agents see it; `delivery` where a vendor carries it."""

    delivery: DeliveryState | None = None


class Window(BaseModel):
    """Until when, and how many messages, WeChat lets us send this follower before he does something himself."""

    ends_at: datetime | None
    left: int


class ConversationOut(BaseModel):
    """A conversation as agents see it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    channel: str
    language: Language | None
    owner: Owner
    agent: str | None = None
    priority: int
    waiting_since: datetime | None
    handover_reason: str
    created_at: datetime
    last_message_at: datetime | None
    closed_at: datetime | None
    danger_ticket: str | None
    verified_account: str | None = None
    busy: bool = False
    #: On WeChat; in the details alone.
    window: Window | None = None


class AlarmOut(BaseModel):
    """A message that spoke of danger; `owner`: who had the conversation then."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    conversation_id: str
    kind: str
    owner: Owner
    ticket_number: str | None
    at: datetime


class Acting(BaseModel):
    """Who acts: with the service token `agent` names the agent (username); an agent's token speaks for itself."""

    agent: str | None = Field(default=None, max_length=60)


class Reply(Acting):
    text: str = Field(min_length=1, max_length=4000)


class Transfer(Acting):
    """To another agent (`to`: username), or back to the queue, where it waits with the languages and skills named."""

    to: str | None = Field(default=None, max_length=60)
    note: str = Field(default="", max_length=300)


class NewHandover(BaseModel):
    reason: str = Field(default="wish", max_length=40)


class NewCallback(BaseModel):
    phone: str = Field(default="", max_length=24)


class ConversationChange(BaseModel):
    language: Language | None = None
