"""One webhook of a call, and the moment of its transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.calls import preference
from api.channels.voice.prompts import words
from api.channels.voice.signature import Form
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Links, Script
from api.conversations.language import Language
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.settings import Settings


@dataclass(frozen=True)
class Hook:
    """One webhook, and what it needs."""

    settings: Settings
    database: Database
    form: Form
    now: datetime
    #: The step that it is; None for the present one.
    step: int | None = None
    #: How often its answer was looked for before.
    wait: int = 0
    #: How often an apology was heard in its stead.
    sorry: int = 0
    #: It comes back from waiting for a person, with no answer of the caller.
    back: bool = False

    @property
    def sid(self) -> str:
        return self.form.call_sid

    @property
    def links(self) -> Links:
        return Links.of(self.settings)


def key_of(step: int, wait: int = 0) -> str:
    """The name of a turn's step (tables.Step)."""
    return f"turn:{step}:w{wait}" if wait else f"turn:{step}"


@dataclass(frozen=True)
class At:
    """A webhook within a write transaction, call and conversation locked."""

    session: AsyncSession
    hook: Hook
    call: Call
    conversation: Conversation

    @property
    def script(self) -> Script:
        """A new script, at the call's pace."""
        return Script(self.hook.links, slow=self.call.slow)

    def word(self, key: str) -> str:
        """A sentence of the call itself, in the conversation's language."""
        return words(key, self.conversation.language)

    async def language(self) -> Language:
        """The conversation's language; before there is one, what was chosen from this number last."""
        if self.conversation.language is not None:
            return "en" if self.conversation.language == "en" else "zh"
        return await preference(self.session, self.hook.settings, self.call.number) or "zh"
