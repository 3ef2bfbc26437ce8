"""A small utility for the console's tests: a line with two transformers, a zone, four addresses, units, an account."""

from decimal import Decimal
from typing import Any

from api.customers.tables import Account
from api.db.engine import Database
from api.network.tables import Asset, AssetAncestor, NetworkState, Place, ServicePoint
from api.tickets.tables import RoutingRule, Unit

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def network() -> list[Any]:
    """The rows, each after those that it refers to."""
    chains = {
        "sub-1": ["sub-1"],
        "line-1": ["line-1", "sub-1"],
        "tr-1": ["tr-1", "line-1", "sub-1"],
        "tr-2": ["tr-2", "line-1", "sub-1"],
        "zone-1": ["zone-1"],
    }
    names = {
        "sub-1": ("substation", "power", "南坪变", "Nanping substation"),
        "line-1": ("line", "power", "东罗线", "Dongluo line"),
        "tr-1": ("transformer", "power", "海棠1号变", "Haitang transformer 1"),
        "tr-2": ("transformer", "power", "海棠2号变", "Haitang transformer 2"),
        "zone-1": ("zone", "water", "南坪水区", "Nanping zone"),
    }
    assets = [
        Asset(id=name, kind=kind, utility=utility, name_zh=zh, name_en=en, parent_id=(*chains[name], None)[1])
        for name, (kind, utility, zh, en) in names.items()
    ]
    above = [
        AssetAncestor(asset_id=asset, ancestor_id=ancestor, depth=depth)
        for asset, chain in chains.items()
        for depth, ancestor in enumerate(chain)
    ]
    place = Place(
        id="pl-1",
        kind="estate",
        name_zh="海棠晓月",
        name_en="Haitang Xiaoyue",
        district_zh="南岸区",
        district_en="Nan'an",
        area_class="urban",
    )
    points = [
        ServicePoint(
            id=f"sp-{number}",
            place_id="pl-1",
            number=str(number),
            address_zh=f"海棠晓月{number}栋",
            address_en=f"Building {number}, Haitang Xiaoyue",
            area_class="urban",
            power_asset_id="tr-1" if number < 3 else "tr-2",
            water_asset_id="zone-1",
        )
        for number in (1, 2, 3, 4)
    ]
    units = [
        Unit(id="power_repair", name_zh="配电抢修班", name_en="Distribution repair team"),
        Unit(id="water_repair", name_zh="供水抢修队", name_en="Water repair team"),
        Unit(id="dispatch", name_zh="调度中心", name_en="Dispatch centre"),
    ]
    routes = [
        RoutingRule(id=1, unit_id="power_repair", utility="power"),
        RoutingRule(id=2, unit_id="water_repair", utility="water"),
    ]
    account = Account(
        number="5001000026",
        utility="power",
        holder_name="李梅",
        phone="13812345678",
        id_last6="03152X",
        service_point_id="sp-1",
        room="2单元301",
        balance=Decimal("-213.50"),
        flags=["life_support"],
    )
    return [NetworkState(id=1, version=1, origin="demo"), *assets, *above, place, *points, *units, *routes, account]


async def lay(database: Database, *more: Any) -> None:
    """The network, and whatever else a test wants."""
    async with database.write() as session, session.begin():
        for row in (*network(), *more):
            session.add(row)
            await session.flush()


async def add(database: Database, *rows: Any) -> None:
    async with database.write() as session, session.begin():
        for row in rows:
            session.add(row)
            await session.flush()
