"""What the forms of articles and canned replies ask for, and how they are answered.

What cannot be saved is said beside the form, which keeps all that was typed.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from itertools import zip_longest
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.audit.service import forget
from api.channels.voice.speech import spoken
from api.console.knowledge import names
from api.console.pages import redirect, render
from api.console.session import Me, SignedIn
from api.deps import Now, SettingsDep, WriteSession
from api.errors import Problem
from api.knowledge import drafts
from api.knowledge.drafts import MOST_STEPS, ArticleChange
from api.knowledge.editing import Desk
from api.knowledge.model import Article, Reply, Text, filled
from api.knowledge.search import Kind
from api.knowledge.store import read
from api.knowledge.wording import LONGEST_SPOKEN, SAMPLE, Fault

#: Characters of a field that are read at all; what is too long is said in words.
RAW = 4000
ERRORS = "#knowledge-errors"
Steps = Annotated[list[Annotated[str, Field(max_length=RAW)]], Field(max_length=MOST_STEPS + 4)]
Raw = Annotated[str, Field(max_length=RAW)]
Version = Annotated[int, Field(ge=0, le=2**31 - 1)]


class KnowledgeForm(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ArticleForm(KnowledgeForm):
    """An article's form; steps come as lists of the same length."""

    version: Version = 0
    title_zh: Raw = ""
    title_en: Raw = ""
    body_zh: Raw = ""
    body_en: Raw = ""
    spoken_zh: Raw = ""
    spoken_en: Raw = ""
    step_zh: Steps = []
    step_en: Steps = []
    step_spoken_zh: Steps = []
    step_spoken_en: Steps = []
    keywords_zh: Raw = ""
    keywords_en: Raw = ""
    document_zh: Raw = ""
    document_en: Raw = ""
    advice_zh: Raw = ""
    advice_en: Raw = ""
    valid_from: Raw = ""
    valid_until: Raw = ""
    reviewed: bool = False

    def change(self, today: date) -> ArticleChange:
        """What it asks for. Raises ValidationError."""
        rows = zip_longest(self.step_zh, self.step_en, self.step_spoken_zh, self.step_spoken_en, fillvalue="")
        steps = [_text(*row) for row in rows if any(part.strip() for part in row)]
        asked = {
            "version": self.version,
            "title": _pair(self.title_zh, self.title_en),
            "body": _text(self.body_zh, self.body_en, self.spoken_zh, self.spoken_en),
            "steps": steps,
            "keywords": {"zh": _words(self.keywords_zh), "en": _words(self.keywords_en)},
            "document": _pair(self.document_zh, self.document_en),
            "advice": _given(self.advice_zh, self.advice_en),
            "valid_from": self.valid_from.strip() or None,
            "valid_until": self.valid_until.strip() or None,
        }
        return ArticleChange.model_validate(asked | ({"reviewed_on": today} if self.reviewed else {}))


class ReplyForm(KnowledgeForm):
    """A reply's form."""

    nonce: str = Field("", max_length=60)
    version: Version = 0
    key: str = Field("", max_length=60)
    group: str = Field("", max_length=20)
    text_zh: Raw = ""
    text_en: Raw = ""
    spoken_zh: Raw = ""
    spoken_en: Raw = ""

    def asked(self) -> dict[str, Any]:
        text = _text(self.text_zh, self.text_en, self.spoken_zh, self.spoken_en)
        return {"key": self.key, "group": self.group, "text": text}


class Validity(KnowledgeForm):
    """Until when an article is told; empty: until further notice."""

    version: Version = 0
    valid_until: Raw = ""


class Wanted(KnowledgeForm):
    """A button: the version that was seen, and the one that shall stand again."""

    version: Version = 0
    to: Version = 0


async def _desk(me: Me, session: WriteSession, settings: SettingsDep, now: Now) -> Desk:
    return Desk(session, settings.home, now, me.caller.name)


async def _today(settings: SettingsDep, now: Now) -> date:
    return now.astimezone(settings.zone).date()


DeskDep = Annotated[Desk, Depends(_desk)]
Today = Annotated[date, Depends(_today)]


def _pair(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _given(zh: str, en: str) -> dict[str, str] | None:
    """A pair that may be missing, but not by half."""
    return _pair(zh, en) if zh.strip() or en.strip() else None


def _text(zh: str, en: str, spoken_zh: str, spoken_en: str) -> dict[str, Any]:
    return {**_pair(zh, en), "spoken": _given(spoken_zh, spoken_en)}


def _words(written: str) -> list[str]:
    return [word for part in re.split("[,，、;；\n]", written) if (word := part.strip())]


async def told(
    request: Request, me: SignedIn, desk: Desk, kind: Kind, entry_id: str, do: Callable[[], Awaitable[str]]
) -> Response:
    """Do it and go where it says; else say beside the form why not. `do` writes nothing before it is sure."""
    try:
        return redirect(request, await do())
    except ValidationError as error:
        answer = _faulty(request, me, drafts.faults_in(error))
    except Problem as problem:
        if problem.type == "unfit":
            errors = problem.extra["errors"]
            answer = _faulty(request, me, [Fault(one["field"], one["code"], one["values"]) for one in errors])
        elif problem.type == "changed-meanwhile":
            answer = await _conflict(request, me, desk, kind, entry_id)
        else:
            raise
    forget(desk.session)  # nothing was done
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = ERRORS, "innerHTML"
    return answer


async def _conflict(request: Request, me: SignedIn, desk: Desk, kind: Kind, entry_id: str) -> Response:
    """Who was faster, and what stands now. From the form of the text, he may then save his over it."""
    stands = await read(desk.session, desk.home)
    mark = stands.marks[kind, entry_id]
    entries: list[Article | Reply] = [*stands.articles] if kind == "article" else [*stands.replies, *stands.retired]
    return render(
        request,
        me,
        "knowledge_conflict.html",
        status=409,
        version=mark.version,
        name=(await names(desk.session, [mark.by])).get(mark.by, ""),
        entry=next((entry for entry in entries if entry.id == entry_id), None),
        again=request.url.path.endswith(f"/{entry_id}"),
    )


def _faulty(request: Request, me: SignedIn, faults: Sequence[Fault]) -> Response:
    said = [drafts.in_words(fault, me.language) for fault in faults]
    return render(request, me, "knowledge_faults.html", status=422, faults=said)


def _aloud(text: Text) -> dict[str, tuple[str, int, int]]:
    """What the telephone says, its length, and how long it may be, by language."""
    said = {code: spoken(filled(words, SAMPLE, code), code) for code, words in text.aloud.items()}
    return {code: (words, len(words), LONGEST_SPOKEN[code]) for code, words in said.items()}


def previewed(request: Request, me: SignedIn, texts: Sequence[Text], faults: Sequence[Fault]) -> Response:
    written = [{code: filled(words, SAMPLE, code) for code, words in text.both.items()} for text in texts]
    return render(
        request,
        me,
        "knowledge_preview.html",
        written=written,
        aloud=[_aloud(text) for text in texts],
        faults=[drafts.in_words(fault, me.language) for fault in faults],
    )
