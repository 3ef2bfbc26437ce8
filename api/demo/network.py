"""Builds the demo utility's assets, places and service points as rows; pure and the same every time."""

from math import ceil
from typing import Any

from api.demo.places import DISTRICTS, LINES, OUTSIDE, PLACES, PLANTS, SECTIONS, SUBSTATIONS, PlaceRow

Row = dict[str, Any]
#: Buildings or houses behind one transformer.
PER_TRANSFORMER = 20
#: Buildings of an estate behind one distribution room.
PER_ESTATE_TRANSFORMER = 8


def feeder_id(key: str) -> str:
    """Asset id of a line or line section."""
    return f"sec_{key}" if key in SECTIONS else f"line_{key}"


def _asset(id: str, utility: str, kind: str, zh: str, en: str, parent: str | None, kv: int | None = None) -> Row:
    return {
        "id": id,
        "utility": utility,
        "kind": kind,
        "name_zh": zh,
        "name_en": en,
        "voltage_kv": kv,
        "parent_id": parent,
    }


def _trunk_assets() -> list[Row]:
    rows = [_asset(f"ss_{k}", "power", "substation", zh, en, None, kv) for k, (zh, en, kv) in SUBSTATIONS.items()]
    rows += [
        _asset(f"line_{k}", "power", "line", f"10千伏{zh}", f"10 kV {en}", f"ss_{substation}", 10)
        for k, (substation, zh, en) in LINES.items()
    ]
    rows += [
        _asset(f"sec_{k}", "power", "section", f"10千伏{zh}", f"10 kV {en}", f"line_{line}", 10)
        for k, (line, zh, en) in SECTIONS.items()
    ]
    rows += [_asset(f"plant_{k}", "water", "plant", zh, en, None) for k, (zh, en) in PLANTS.items()]
    rows += [
        _asset(f"zone_{k}", "water", "zone", f"{d.zh}供水片区", f"{d.en} pressure zone", f"plant_{d.plant}")
        for k, d in DISTRICTS.items()
    ]
    return rows


def _transformers(place: PlaceRow) -> list[Row]:
    per = PER_ESTATE_TRANSFORMER if place.kind == "estate" else PER_TRANSFORMER
    return [
        _asset(
            f"tr_{place.key}_{n}",
            "power",
            "transformer",
            f"{place.zh}{n}号配变",
            f"{place.en} transformer {n}",
            feeder_id(place.feeder),
            10,
        )
        for n in range(1, max(1, ceil(place.size / per)) + 1)
    ]


def _water_asset(place: PlaceRow) -> Row:
    estate = place.kind == "estate"
    return _asset(
        f"water_{place.key}",
        "water",
        "booster" if estate else "valve",
        f"{place.zh}加压泵站" if estate else f"{place.zh}阀门段",
        f"{place.en} booster station" if estate else f"{place.en} valve section",
        f"zone_{place.district}",
    )


def point_id(key: str, number: int | str = "") -> str:
    """Service point id of a place's building or house."""
    return f"sp_{key}_{number}" if number else f"sp_{key}"


def _points(place: PlaceRow) -> list[Row]:
    area = DISTRICTS[place.district].area_class
    common = {"place_id": f"pl_{place.key}", "area_class": area, "water_asset_id": f"water_{place.key}"}
    if not place.size:
        return [
            common
            | {
                "id": point_id(place.key),
                "number": "",
                "address_zh": place.zh,
                "address_en": place.en,
                "power_asset_id": f"tr_{place.key}_1",
            }
        ]
    estate = place.kind == "estate"
    per = PER_ESTATE_TRANSFORMER if estate else PER_TRANSFORMER
    return [
        common
        | {
            "id": point_id(place.key, n),
            "number": str(n),
            "address_zh": f"{place.zh}{n}{'栋' if estate else '号'}",
            "address_en": f"Building {n}, {place.en}" if estate else f"{n} {place.en}",
            "power_asset_id": f"tr_{place.key}_{(n - 1) // per + 1}",
        }
        for n in range(1, place.size + 1)
    ]


def build() -> dict[str, list[Row]]:
    """{"assets", "places", "service_points"}: rows for the tables of those names, parents before children."""
    assets, places, points = _trunk_assets(), [], []
    for place in PLACES:
        district = DISTRICTS[place.district]
        assets += [*_transformers(place), _water_asset(place)]
        points += _points(place)
        places.append(
            {
                "id": f"pl_{place.key}",
                "kind": place.kind,
                "name_zh": place.zh,
                "name_en": place.en,
                "aliases": place.aliases,
                "district_zh": district.zh,
                "district_en": district.en,
                "area_class": district.area_class,
                "served_by": None,
            }
        )
    places += [
        {
            "id": f"pl_{key}",
            "kind": "village",
            "name_zh": zh,
            "name_en": en,
            "aliases": aliases,
            "district_zh": "",
            "district_en": "",
            "area_class": "rural",
            "served_by": unit,
        }
        for key, zh, en, aliases, unit in OUTSIDE
    ]
    return {"assets": assets, "places": places, "service_points": points}
