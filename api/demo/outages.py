"""The demo utility's outages, placed round the clock's present so that `docs/demo.md` is true at any hour; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Times:
    starts_at: datetime
    expected_end_at: datetime | None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class DemoOutage:
    """One demo outage; `anchor` gives its times for a local now, `fresh` is how long those stay true."""

    key: str
    utility: str
    kind: str
    status: str
    asset_id: str
    cause_zh: str
    cause_en: str
    anchor: Callable[[datetime], Times]
    fresh: timedelta

    @property
    def id(self) -> str:
        return f"out_demo_{self.key}"


def _ago(minutes: int, hours: float | None) -> Callable[[datetime], Times]:
    """Began `minutes` ago and, where `hours` is given, is expected to last so long from its start."""

    def times(now: datetime) -> Times:
        start = now - timedelta(minutes=minutes + now.minute % 5, seconds=now.second, microseconds=now.microsecond)
        return Times(start, None if hours is None else start + timedelta(hours=hours))

    return times


def _tomorrow(hour: int, hours: float) -> Callable[[datetime], Times]:
    def times(now: datetime) -> Times:
        start = (now + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)
        return Times(start, start + timedelta(hours=hours))

    return times


def _works(now: datetime) -> Times:
    """The planned works of now: from two full hours ago, for ten hours."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    return Times(start, start + timedelta(hours=10))


def _switched_away(now: datetime) -> Times:
    start = _works(now).starts_at
    end = start + timedelta(minutes=10)
    return Times(start, end, end)


def _switched_back(now: datetime) -> Times:
    start = _works(now).starts_at + timedelta(hours=10)
    return Times(start, start + timedelta(minutes=10))


OUTAGES = (
    DemoOutage(
        "planned_now",
        "power",
        "planned",
        "repairing",
        "sec_dongluo_rear",
        "10千伏东洛线后段计划检修，治理配电隐患",
        "planned works on the rear section of the 10 kV Dongluo line, removing hidden defects",
        _works,
        timedelta(hours=7),
    ),
    # A14: works on one section cut the other one's customers for minutes, once there and once back.
    DemoOutage(
        "switched_away",
        "power",
        "planned",
        "restored",
        "sec_dongluo_front",
        "东洛线后段计划检修，前段倒换至备用电源，短时停电",
        "the front section of the Dongluo line was switched to standby supply for the works on its rear section",
        _switched_away,
        timedelta(hours=7),
    ),
    DemoOutage(
        "switched_back",
        "power",
        "planned",
        "scheduled",
        "sec_dongluo_front",
        "东洛线后段检修结束，前段由备用电源倒回，短时停电约10分钟",
        "the front section of the Dongluo line is switched back from standby when the works end, about 10 minutes",
        _switched_back,
        timedelta(hours=7),
    ),
    DemoOutage(
        "planned_tomorrow",
        "power",
        "planned",
        "scheduled",
        "sec_wanguang_1",
        "10千伏万广线万达广场1号开闭所设备检修",
        "maintenance of Wanda Plaza switching station 1 on the 10 kV Wanguang line",
        _tomorrow(9, 8),
        timedelta(days=1),
    ),
    DemoOutage(
        "fault",
        "power",
        "fault",
        "repairing",
        "sec_wanguang_3",
        "10千伏万广线万达广场3号开闭所出线电缆烧损",
        "a burnt cable at Wanda Plaza switching station 3 on the 10 kV Wanguang line",
        _ago(50, 5),
        timedelta(hours=3, minutes=30),
    ),
    DemoOutage(
        "predicted",
        "power",
        "predicted",
        "reported",
        "tr_xuefu_1",
        "同一台变压器下有多户报停电，原因正在核实",
        "several reports below one transformer; the cause is being checked",
        _ago(20, None),
        timedelta(hours=6),
    ),
    DemoOutage(
        "burst_main",
        "water",
        "fault",
        "repairing",
        "water_danzishi_main",
        "供水主管爆裂，正在开挖抢修",
        "a burst water main, being dug up and repaired",
        _ago(90, 8),
        timedelta(hours=5, minutes=30),
    ),
    DemoOutage(
        "water_tomorrow",
        "water",
        "planned",
        "scheduled",
        "water_jiangnan",
        "江南大道供水管道改造碰口",
        "connecting the renewed water main in Jiangnan Avenue",
        _tomorrow(22, 6),
        timedelta(days=1),
    ),
)


def must_anchor(outage: DemoOutage, anchored_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """True once the times set at `anchored_at` no longer say what the demo promises."""
    if outage.fresh == timedelta(days=1):
        return anchored_at.astimezone(zone).date() != now.astimezone(zone).date()
    return not timedelta(0) <= now - anchored_at < outage.fresh
