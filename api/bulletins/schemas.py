"""What bulletins look like over HTTP."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from api.bulletins.rules import MOST_CHARACTERS, State
from api.conversations.language import HAN
from api.conversations.rules import normalise


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", normalise(text))


def _chinese(text: str) -> str:
    if not HAN.search(text):
        raise ValueError("this text must be in Chinese")
    return text


def _english(text: str) -> str:
    if not re.search("[A-Za-z]", text):
        raise ValueError("this text must be in English")
    return text


_Size = Field(min_length=1, max_length=MOST_CHARACTERS)
Chinese = Annotated[str, _Size, AfterValidator(_on_one_line), AfterValidator(_chinese)]
English = Annotated[str, _Size, AfterValidator(_on_one_line), AfterValidator(_english)]


class NewBulletin(BaseModel):
    """What is said to customers below an asset, in a place, or everywhere, from `starts_at` (now) until `ends_at`."""

    text_zh: Chinese
    text_en: English
    asset_id: str | None = Field(default=None, min_length=1, max_length=40)
    place_id: str | None = Field(default=None, min_length=1, max_length=40)
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime

    @model_validator(mode="after")
    def one_area(self) -> "NewBulletin":
        if self.asset_id is not None and self.place_id is not None:
            raise ValueError("name an asset or a place, not both")
        return self


class BulletinChange(BaseModel):
    """What is left out stays."""

    text_zh: Chinese | None = None
    text_en: English | None = None
    ends_at: AwareDatetime | None = None


class BulletinOut(BaseModel):
    """A bulletin; `area_zh` and `area_en` are empty where it applies everywhere, `told` counts conversations."""

    id: str
    state: State
    text_zh: str
    text_en: str
    asset_id: str | None
    place_id: str | None
    area_zh: str
    area_en: str
    starts_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None
    created_by: str
    created_at: datetime
    told: int
