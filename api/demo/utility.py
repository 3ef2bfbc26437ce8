"""The demo utility's units, routing (A3), outlets (B2, B4) and facts, read from utility.yml."""

from pathlib import Path
from typing import Any

import yaml

Row = dict[str, Any]
_DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "utility.yml").read_text("utf-8"))
_ROUTE_COLUMNS = ("utility", "kind", "area_class", "district", "topic")

UNITS: list[Row] = _DATA["units"]
ROUTING: list[Row] = [
    dict.fromkeys(_ROUTE_COLUMNS) | route | {"id": number, "rank": 100}
    for number, route in enumerate(_DATA["routing"], start=1)
]
OUTLETS: list[Row] = [
    outlet | {"hours": _DATA["hours"][outlet["hours"]], "round_the_clock": outlet["hours"] == "always"}
    for outlet in _DATA["outlets"]
]
FACTS: dict[str, Any] = _DATA["facts"]
