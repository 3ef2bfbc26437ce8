"""The small network that tickets are filed in."""

from typing import Any

import pytest

from api.customers.tables import Account
from api.db.engine import Database
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.tickets.tables import RoutingRule, Unit


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    """Two places, an urban and a remote one, units, and a routing table."""
    rows: list[Any] = [
        Asset(id="line-1", utility="power", kind="line", name_zh="东罗线", name_en="Dongluo line", voltage_kv=10),
        AssetAncestor(asset_id="line-1", ancestor_id="line-1", depth=0),
        Place(id="pl-1", kind="estate", name_zh="海棠晓月", name_en="Haitang Xiaoyue", district_zh="南岸区",
              district_en="Nan'an", area_class="urban"),
        Place(id="pl-2", kind="village", name_zh="石坪村", name_en="Shiping", district_zh="南岸区",
              district_en="Nan'an", area_class="remote"),
        Unit(id="lujiao", name_zh="鹿角供电站", name_en="Lujiao supply station"),
        Place(id="pl-3", kind="village", name_zh="鹿角镇", name_en="Lujiao Town", aliases="鹿角|Lujiao",
              area_class="rural", served_by="lujiao"),
        ServicePoint(id="sp-1", place_id="pl-1", number="3", address_zh="海棠晓月3栋", address_en="3 Haitang Xiaoyue",
                     area_class="urban", power_asset_id="line-1"),
        ServicePoint(id="sp-2", place_id="pl-2", number="1", address_zh="石坪村1号", address_en="1 Shiping",
                     area_class="remote", power_asset_id="line-1"),
        ServicePoint(id="sp-3", place_id="pl-1", number="4", address_zh="海棠晓月4栋", address_en="4 Haitang Xiaoyue",
                     area_class="urban", power_asset_id="line-1"),
        *(Unit(id=u, name_zh=u, name_en=u) for u in ("power-repair", "water-repair", "village-power", "yipin")),
        RoutingRule(id=1, unit_id="power-repair", utility="power"),
        RoutingRule(id=2, unit_id="water-repair", utility="water"),
        RoutingRule(id=3, unit_id="village-power", utility="power", area_class="remote"),
        RoutingRule(id=4, unit_id="yipin", district="巴南区"),
        Account(number="3300112233", utility="power", holder_name="李梅", phone="13812345678", service_point_id="sp-3",
                flags=["life_support"]),
    ]  # fmt: skip
    async with database.write() as session, session.begin():
        for row in rows:
            session.add(row)
            await session.flush()
