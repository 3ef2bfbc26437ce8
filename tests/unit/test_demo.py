"""The demo utility: big enough, the same every time, and true at any hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from api.demo import customers, network
from api.demo.outages import OUTAGES, must_anchor
from api.demo.utility import FACTS, OUTLETS, ROUTING, UNITS
from api.network.rules import ancestors
from api.outages.rules import complaint_about, is_active, is_overdue

ZONE = ZoneInfo("Asia/Shanghai")
MOMENTS = st.integers(0, 2 * 365 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
#: Shown as going on, and as still ahead.
CURRENT = {"planned_now", "fault", "predicted", "burst_main"}
AHEAD = {"planned_tomorrow", "water_tomorrow", "switched_back"}


def test_size() -> None:
    rows = network.build()
    kinds = [asset["kind"] for asset in rows["assets"]]
    least = {"substation": 2, "line": 8, "transformer": 60, "plant": 2, "zone": 8, "booster": 30, "valve": 30}
    assert {kind: kinds.count(kind) for kind in least if kinds.count(kind) < least[kind]} == {}
    assert len(rows["service_points"]) >= 2_000
    assert {point["area_class"] for point in rows["service_points"]} == {"urban", "rural", "remote"}


def test_the_same_every_time_and_consistent() -> None:
    rows = network.build()
    assert rows == network.build()
    assets = {asset["id"]: asset for asset in rows["assets"]}
    assert len(assets) == len(rows["assets"])
    ancestors({key: asset["parent_id"] for key, asset in assets.items()})
    places, points = {p["id"] for p in rows["places"]}, {p["id"]: p for p in rows["service_points"]}
    assert len(points) == len(rows["service_points"])
    for point in points.values():
        assert point["place_id"] in places
        assert assets[point["power_asset_id"]]["utility"] == "power"
        assert assets[point["water_asset_id"]]["utility"] == "water"
    assert all(outage.asset_id in assets and assets[outage.asset_id]["utility"] == outage.utility for outage in OUTAGES)
    units = {unit["id"] for unit in UNITS}
    assert {route["unit_id"] for route in ROUTING} <= units
    assert {place["served_by"] for place in rows["places"] if place["served_by"]} <= units
    assert {outlet["place_id"] for outlet in OUTLETS} <= places


def test_accounts() -> None:
    now = datetime(2026, 3, 4, 6, tzinfo=UTC)
    points = [point["id"] for point in network.build()["service_points"]]
    accounts = customers.build(points, now)
    assert accounts == customers.build(points, now)
    assert len(accounts) >= 2_900
    assert len({account["number"] for account in accounts}) == len(accounts)
    assert all(len(account["number"]) == 10 and account["number"].isdigit() for account in accounts)
    assert all(len(account["phone"]) == 11 and len(account["id_last6"]) == 6 for account in accounts)
    assert {account["service_point_id"] for account in accounts} <= set(points)
    assert all(account["last_bill_at"] < now for account in accounts)
    assert all(
        (account["balance"] < 0) == (account["state"] != "active") for account in accounts[len(customers.FIXED) :]
    )


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_outages_stay_true(anchored: datetime, later: timedelta) -> None:
    """While an outage is not stale, it is what the documentation says: at the anchor and until it is moved again."""
    now = anchored + later
    for outage in OUTAGES:
        times = outage.anchor((now if must_anchor(outage, anchored, now, ZONE) else anchored).astimezone(ZONE))
        assert complaint_about(outage.kind, times.starts_at, times.expected_end_at, times.ended_at) is None
        active = is_active(outage.status, times.starts_at, times.expected_end_at, times.ended_at, now, now)
        assert active is (outage.key in CURRENT), outage.key
        assert (times.starts_at > now) is (outage.key in AHEAD), outage.key
        assert not is_overdue(times.expected_end_at, times.ended_at, now), outage.key
        if outage.key.endswith("tomorrow"):
            assert times.starts_at.date() == now.astimezone(ZONE).date() + timedelta(days=1)


def test_facts_are_all_there() -> None:
    assert {
        "hotline",
        "agent_hours",
        "rest_hours",
        "commitments_minutes",
        "tariffs",
        "privacy_url",
        "emergency",
    } <= set(FACTS)
