"""JSON shapes of outlets."""

from pydantic import BaseModel


class OutletOut(BaseModel):
    """A counter, machine or bank; `hours` by weekday in local time, `open_now` at the time asked for."""

    id: str
    utility: str
    kind: str
    name_zh: str
    name_en: str
    address_zh: str
    address_en: str
    round_the_clock: bool
    hours: dict[str, list[str]]
    open_now: bool
