"""JSON shapes of places and service points."""

from pydantic import BaseModel


class AssetOut(BaseModel):
    id: str
    kind: str
    name_zh: str
    name_en: str
    voltage_kv: int | None


class Chain(BaseModel):
    """The assets that supply a service point, nearest first."""

    power: list[AssetOut] = []
    water: list[AssetOut] = []


class Candidate(BaseModel):
    """A service point that the words may mean. `address` is in the language of the words; `score` 0..100."""

    service_point_id: str
    place_id: str
    #: The place's Chinese name, which any number can be put after to look up a neighbour.
    place_name: str
    address: str
    address_zh: str
    address_en: str
    area_class: str
    score: int
    chain: Chain


class OutsideUnit(BaseModel):
    """The neighbouring unit that serves a place outside the area (A3 2)."""

    unit_id: str
    unit_zh: str
    unit_en: str
    phone: str


class PlaceOut(BaseModel):
    """A place that was named without a building or house number that exists there."""

    id: str
    kind: str
    name_zh: str
    name_en: str
    area_class: str
    #: How surely the place was named, 0..100, whatever the number.
    score: int
    needs_number: bool
    #: A number was given and the place has none such.
    number_unknown: bool = False
    #: That number, as understood.
    number: str = ""
    outside: OutsideUnit | None = None


class PlacesOut(BaseModel):
    """`place` is set where the words name exactly one place; `places` are all that were considered, best first."""

    candidates: list[Candidate]
    place: PlaceOut | None
    places: list[PlaceOut]
    #: Unit, room or floor inside the building, as in `2单元501`.
    detail: str
