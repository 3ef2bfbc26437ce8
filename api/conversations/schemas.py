"""What conversations look like over HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from api.conversations.ownership import Outcome
from api.conversations.transcript import Line

Owner = Literal["bot", "waiting", "agent"]
Language = Literal["zh", "en"]
Skill = Literal["", "power", "water", "complaint"]
SlotName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
SlotValue = Annotated[str, StringConstraints(max_length=300)] | StrictBool | int | float | None


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


class UnderstoodOut(BaseModel):
    """What the bot took a customer's line for; `missed`: it asked back."""

    model_config = ConfigDict(from_attributes=True)

    intent: str
    confidence: float
    missed: bool


class TranscriptLine(MessageOut):
    """A line as agents see it; `delivery` where a vendor carries it, `understood` where the bot answered it."""

    delivery: DeliveryState | None = None
    understood: UnderstoodOut | None = None


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
    skill: str = ""
    claimed_at: datetime | None = None
    #: Since when the customer waits for a word of the agent who owns it.
    unanswered_since: datetime | None = None
    outcome: str = ""
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
    #: When somebody saw to it, and who (the agent's id; null where the service token did).
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


class Acting(BaseModel):
    """Who acts: with the service token `agent` names the agent (username); an agent's token speaks for itself."""

    agent: str | None = Field(default=None, max_length=60)


class Reply(Acting):
    text: str = Field(min_length=1, max_length=4000)


class Transfer(Acting):
    """To another agent (`to`: username), or back to the queue, where it waits with the languages and skills named."""

    to: str | None = Field(default=None, max_length=60)
    note: str = Field(default="", max_length=300)
    #: What the next agent should know about.
    skill: Skill = ""
    #: The language that the customer is written to in from here.
    language: Language | Literal[""] = ""


class Release(Acting):
    """`summary`: what was agreed; `slots`: what it was about, e.g. service_point_id, address, ticket. The bot goes on
    from there."""

    summary: str = Field(default="", max_length=1000)
    slots: dict[SlotName, SlotValue] = Field(default={}, max_length=20)


class Close(Acting):
    """How it ended."""

    outcome: Outcome = ""
    note: str = Field(default="", max_length=1000)


class NewNote(Acting):
    """For colleagues alone; `@username` tells a colleague of it. A whisper is a supervisor's to the agent."""

    text: str = Field(min_length=1, max_length=2000)
    kind: Literal["note", "whisper"] = "note"


class NoteOut(BaseModel):
    """A note, who wrote it (null: the desk itself), and whom it names."""

    id: str
    kind: str
    agent: str | None
    text: str
    #: What happened, where the desk itself tells it; `from` and `to` are ids of agents.
    facts: dict[str, Any] = {}
    mentions: list[str]
    #: The line after which it stands.
    seq: int
    at: datetime


class NewHandover(BaseModel):
    reason: str = Field(default="wish", max_length=40)
    #: What the agent should know about.
    skill: Skill = ""


class NewCallback(BaseModel):
    phone: str = Field(default="", max_length=24)


class ConversationChange(BaseModel):
    language: Language | None = None
