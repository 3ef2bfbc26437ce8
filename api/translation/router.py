"""`/api/v1/translations`: a customer's or a colleague's words for whoever reads the other language only.

A POST, so that no customer's words stand in an address; nothing is kept.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.db.idempotency import require_key
from api.deps import Staff
from api.translation.base import Kind, Language
from api.translation.service import translate

router = APIRouter(prefix="/translations", tags=["translation"])
Key = Annotated[str, Depends(require_key)]


class NewTranslation(BaseModel):
    text: str = Field(min_length=1, max_length=4000)
    source: Language
    target: Language

    @model_validator(mode="after")
    def two_languages(self) -> "NewTranslation":
        if self.source == self.target:
            raise ValueError("source and target must differ")
        return self


class TermOut(BaseModel):
    """A word of the glossary: characters `start` to before `end` of the original."""

    model_config = ConfigDict(from_attributes=True)

    start: int
    end: int
    source: str
    target: str


class TranslationOut(BaseModel):
    """`text` is null where `kind` is glossary: terms are named, nothing is translated. `failure` (timeout | refused |
    failed): the chosen provider's translation is missing. `original` is to be shown in any case."""

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    provider: str
    original: str
    text: str | None
    terms: list[TermOut]
    failure: str


@router.post("")
async def create(request: Request, body: NewTranslation, _key: Key, _staff: Staff) -> TranslationOut:
    """Translate by the desk's translator (MAINSDESK_TRANSLATOR); its answer is never late and never an error."""
    made = await translate(request.app.state.translator, body.text, body.source, body.target)
    return TranslationOut(
        kind=made.kind,
        provider=made.provider,
        original=body.text,
        text=made.text,
        terms=[TermOut.model_validate(term) for term in made.terms],
        failure=made.failure,
    )
