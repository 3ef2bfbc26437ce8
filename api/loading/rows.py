"""One model per CSV file: what a row of it must look like. `docs/loading.md` tells the columns to people."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo

from api.customers.tables import Account
from api.db.base import Base
from api.network.tables import Asset, Place, ServicePoint
from api.outages.rules import Kind, Status
from api.outages.tables import Outage
from api.outlets.rules import DAYS
from api.outlets.tables import Outlet, UtilityFact
from api.tickets.tables import RoutingRule, Unit

Utility = Literal["power", "water"]
AreaClass = Literal["urban", "rural", "remote"]
Id = Annotated[str, StringConstraints(max_length=40, pattern=r"^[\w.:-]+$")]


Phone = Annotated[str, StringConstraints(max_length=24)]
Short = Annotated[str, StringConstraints(max_length=40)]
Name = Annotated[str, StringConstraints(max_length=80)]
Address = Annotated[str, StringConstraints(max_length=120)]
Cause = Annotated[str, StringConstraints(max_length=200)]


def _local_unless_zoned(value: datetime, info: ValidationInfo) -> datetime:
    """A time without an offset is the utility's local time."""
    return value if value.tzinfo else value.replace(tzinfo=(info.context or {})["zone"])


def _date_too(value: object) -> object:
    """`2026-03-01` alone is the beginning of that day."""
    return f"{value}T00:00" if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else value


def _time_text(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[\d.]+", value):
        raise ValueError("not a time such as 2026-03-01 08:30")  # pydantic would take a number for a Unix time
    return value


Time = Annotated[datetime, AfterValidator(_local_unless_zoned), BeforeValidator(_date_too), BeforeValidator(_time_text)]
Money = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


def _list(value: str) -> list[str]:
    return [part.strip() for part in value.split("|") if part.strip()]


_SPAN = r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)"
_DAYS = re.compile(rf"({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))? ({_SPAN}(?:,{_SPAN})*)")


def read_hours(text: str) -> dict[str, list[str]]:
    """`mon-fri 08:30-12:00,13:00-17:30; sat 09:00-16:00` or `24h` by weekday."""
    if text == "24h":
        return {day: ["00:00-24:00"] for day in DAYS}
    hours: dict[str, list[str]] = {day: [] for day in DAYS}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = _DAYS.fullmatch(part)
        if match is None:
            raise ValueError("not opening hours such as `mon-fri 08:30-17:30; sat 09:00-16:00` or `24h`")
        first, last = DAYS.index(match[1]), DAYS.index(match[2] or match[1])
        if last < first:
            raise ValueError("the days of a span stand in the wrong order")
        for day in DAYS[first : last + 1]:
            hours[day] = match[3].split(",")
    return hours


def _json_or_text(value: str) -> Any:
    return json.loads(value) if value[:1] in ("{", "[", '"') else value


class Row(BaseModel):
    """Base of all rows. Empty cells count as left out."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    table: ClassVar[type[Base]]
    #: Column that identifies the row; it may occur once only.
    key_column: ClassVar[str] = "id"
    #: Columns that name a row of another file.
    references: ClassVar[Mapping[str, str]] = {}

    def values(self) -> dict[str, Any]:
        """The row for its table."""
        return self.model_dump()


class UnitRow(Row):
    table = Unit
    id: Id
    name_zh: Name
    name_en: Name
    phone: Phone = ""


class AssetRow(Row):
    table = Asset
    references: ClassVar = {"parent_id": "assets"}
    id: Id
    utility: Utility
    kind: Literal["substation", "line", "section", "transformer", "plant", "zone", "booster", "valve"]
    name_zh: Name
    name_en: Name
    voltage_kv: int | None = Field(default=None, ge=0, le=1000)
    parent_id: Id | None = None


class PlaceRow(Row):
    table = Place
    references: ClassVar = {"served_by": "units"}
    id: Id
    kind: Literal["estate", "street", "village", "landmark"]
    name_zh: Name
    name_en: Name
    aliases: Annotated[str, StringConstraints(max_length=400)] = ""
    district_zh: Short = ""
    district_en: Short = ""
    area_class: AreaClass
    served_by: Id | None = None


class ServicePointRow(Row):
    table = ServicePoint
    references: ClassVar = {"place_id": "places", "power_asset_id": "assets", "water_asset_id": "assets"}
    id: Id
    place_id: Id
    number: Annotated[str, StringConstraints(max_length=12, to_upper=True)] = ""
    address_zh: Address
    address_en: Address
    area_class: AreaClass
    power_asset_id: Id | None = None
    water_asset_id: Id | None = None


class AccountRow(Row):
    table = Account
    key_column = "number"
    references: ClassVar = {"service_point_id": "service_points"}
    number: Annotated[str, StringConstraints(pattern=r"^\d{4,20}$")]
    utility: Utility
    holder_name: Annotated[str, StringConstraints(max_length=60)]
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[\d -]{5,22}$")]
    id_last6: Annotated[str, BeforeValidator(str.upper), StringConstraints(pattern=r"^[0-9A-Z]{6}$")] = ""
    service_point_id: Id
    room: Short = ""
    state: Literal["active", "cut_off", "unregistered"] = "active"
    prepaid: bool = False
    balance: Money = Decimal("0.00")
    flags: Annotated[list[Literal["life_support", "key_account", "low_income"]], BeforeValidator(_list)] = []
    last_reading: Money | None = None
    last_reading_at: Time | None = None
    last_bill: Money | None = None
    last_bill_at: Time | None = None


class OutageRow(Row):
    table = Outage
    references: ClassVar = {"asset_id": "assets"}
    id: Id
    number: Annotated[str, StringConstraints(max_length=20)]
    utility: Utility
    kind: Kind
    status: Status
    cause_zh: Cause = ""
    cause_en: Cause = ""
    asset_id: Id
    starts_at: Time
    expected_end_at: Time | None = None
    ended_at: Time | None = None


class OutletRow(Row):
    table = Outlet
    references: ClassVar = {"place_id": "places"}
    id: Id
    utility: Literal["power", "water", "both"]
    kind: Literal["hall", "machine", "bank"]
    name_zh: Name
    name_en: Name
    address_zh: Address
    address_en: Address
    place_id: Id | None = None
    district_zh: Short = ""
    hours: Annotated[dict[str, list[str]], BeforeValidator(read_hours)]

    def values(self) -> dict[str, Any]:
        return self.model_dump() | {"round_the_clock": all(spans == ["00:00-24:00"] for spans in self.hours.values())}


class RoutingRow(Row):
    table = RoutingRule
    references: ClassVar = {"unit_id": "units"}
    id: int = Field(ge=1)
    rank: int = 100
    unit_id: Id
    utility: Utility | None = None
    kind: Literal["fault_report", "complaint", "damage_claim", "service_request", "enquiry"] | None = None
    area_class: AreaClass | None = None
    district: Short | None = None
    topic: Short | None = None


class FactRow(Row):
    table = UtilityFact
    key_column = "key"
    key: Annotated[str, StringConstraints(max_length=60)]
    value: Annotated[Any, BeforeValidator(_json_or_text)]


#: File name without `.csv` → its row, in the order in which they are written.
FILES: Mapping[str, type[Row]] = {
    "units": UnitRow,
    "assets": AssetRow,
    "places": PlaceRow,
    "service_points": ServicePointRow,
    "routing": RoutingRow,
    "outlets": OutletRow,
    "facts": FactRow,
    "accounts": AccountRow,
    "outages": OutageRow,
}
#: Without these there is no utility.
NEEDED = ("assets", "places", "service_points")
