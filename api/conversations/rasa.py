"""Asking Rasa, over its `desk` channel, and judging what comes back. An answer is used only if it is whole."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.conversations.insight import Understood, understood_in, whole_sheet
from api.conversations.transcript import Offer

WEBHOOK = "/webhooks/desk/webhook"
HEALTH = "/webhooks/desk/"


@dataclass(frozen=True)
class Said:
    """One message of the bot."""

    text: str
    offers: tuple[Offer, ...]
    #: What answer it waits for (Message.expects).
    expects: str = ""


@dataclass(frozen=True)
class Answered:
    """Rasa's replies; none only where the turn was declared silent."""

    messages: tuple[Said, ...]
    #: What Rasa took the message for; None for a choice, or where it did not tell.
    understood: Understood | None = None
    #: What the bot knows now (Conversation.sheet); None where it did not tell.
    sheet: dict[str, Any] | None = None


@dataclass(frozen=True)
class Failed:
    """Rasa answered late, wrongly or not at all: the customer is owed an honest sentence. `why` is for the log."""

    why: str


@dataclass(frozen=True)
class Unreachable:
    """Nobody was there (`lost`: it went away half-way): the message waits until Rasa is back."""

    lost: bool


Outcome = Answered | Failed | Unreachable


class _Choice(BaseModel):
    label: str = Field(min_length=1)
    payload: str = Field(min_length=1)


class _Message(BaseModel):
    text: str = Field(min_length=1, max_length=5000)
    choices: list[_Choice] = Field(default=[], max_length=20)
    expects: str = Field(default="", max_length=12)


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True)

    messages: list[_Message] = Field(max_length=20)
    silent: bool = False
    failed: bool = False
    #: For the people at the desk, judged on their own: nothing in them makes an answer unfit.
    understood: Any = None
    sheet: Any = None


async def ask(client: httpx.AsyncClient, request: dict[str, Any], seconds: float) -> Outcome:
    """POST one message to Rasa's channel; never raises for what Rasa or the network does."""
    try:
        async with asyncio.timeout(seconds):
            response = await client.post(WEBHOOK, json=request)
    except (TimeoutError, httpx.TimeoutException):
        return Failed("timeout")
    except httpx.ConnectError:
        return Unreachable(lost=False)
    except httpx.TransportError:
        return Unreachable(lost=True)
    if response.status_code == 503:
        return Unreachable(lost=False)
    if response.status_code != 200:
        return Failed(f"status {response.status_code}")
    try:
        answer = _Answer.model_validate_json(response.content)
    except ValidationError:
        return Failed("garbage")
    if answer.failed:
        return Failed("failed")
    if not answer.messages and not answer.silent:
        return Failed("empty")
    return Answered(
        tuple(
            Said(
                message.text,
                tuple(Offer(choice.label, choice.payload) for choice in message.choices),
                message.expects,
            )
            for message in answer.messages
        ),
        understood_in(answer.understood),
        whole_sheet(answer.sheet),
    )
