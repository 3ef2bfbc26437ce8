"""The demo utility's accounts: a few fixed ones that docs/demo.md tells of, and about 3,000 invented ones; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from api.demo.network import point_id

Row = dict[str, Any]
SEED = 95598
GENERATED = 2990
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁任沈"
GIVEN = ("建国", "秀英", "伟", "芳", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超")
TYPES_OF_STATE = ("active",) * 47 + ("cut_off", "cut_off", "unregistered")


class Fixed(NamedTuple):
    """An account that people may try the demo with."""

    key: str
    number: str
    utility: str
    holder: str
    phone: str
    id_last6: str
    point: str
    room: str
    balance: str
    state: str = "active"
    prepaid: bool = False
    flags: tuple[str, ...] = ()


FIXED = (
    Fixed(
        "in credit", "5001000018", "power", "李国华", "19900000001", "102618",
        point_id("haitang_xiaoyue", 5), "2单元301", "86.40",
    ),
    Fixed(
        "in arrears, cut off", "5001000026", "power", "王秀英", "19900000002", "03152X",
        point_id("hetai", 2), "1单元402", "-213.50", "cut_off",
    ),
    Fixed(
        "prepaid at zero", "5001000034", "power", "张伟", "19900000003", "070914",
        point_id("hetai", 6), "3单元601", "0.00", "active", True,
    ),
    Fixed(
        "prepaid with credit", "5001000042", "power", "陈静", "19900000004", "281126",
        point_id("yangguang100", 8), "1单元1203", "52.30", "active", True,
    ),
    Fixed(
        "life-support flag", "5001000059", "power", "刘桂芳", "19900000005", "190347",
        point_id("haitang_xiaoyue", 3), "2单元501", "120.00", "active", False, ("life_support",),
    ),
    Fixed(
        "unregistered move-in", "5001000067", "power", "待登记", "19900000006", "250839",
        point_id("jinxiu", 7), "1单元802", "-18.20", "unregistered",
    ),
    Fixed(
        "key account", "5001000075", "power", "万达广场物业", "19900000007", "112233",
        point_id("wanda"), "", "5230.00", "active", False, ("key_account",),
    ),
    Fixed(
        "water in arrears, cut off", "7001000013", "water", "周建国", "19900000008", "05064X",
        point_id("fuze", 4), "2单元202", "-64.75", "cut_off",
    ),
    Fixed(
        "water, low income", "7001000021", "water", "赵素芬", "19900000009", "301955",
        point_id("changjiacun", 11), "4单元101", "15.60", "active", False, ("low_income",),
    ),
)  # fmt: skip


def _history(random: Random, utility: str, now: datetime) -> Row:
    """Readings in kWh or m³, the last bill in yuan."""
    used = Decimal(random.randint(60, 380) if utility == "power" else random.randint(6, 34))
    price = Decimal("0.52") if utility == "power" else Decimal("3.50")
    read_at = now.replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=random.randint(3, 27))
    return {
        "last_reading": Decimal(random.randint(900, 42_000)) + used,
        "last_reading_at": read_at,
        "last_bill": (used * price).quantize(Decimal("0.01")),
        "last_bill_at": read_at + timedelta(days=1),
    }


def _invented(random: Random, index: int, point: str) -> Row:
    utility = "power" if index % 2 == 0 else "water"
    state = random.choice(TYPES_OF_STATE)
    prepaid = utility == "power" and random.random() < 0.25
    cents = random.randint(0, 30_000) if state == "active" else -random.randint(1_000, 40_000)
    return {
        "number": f"{'52' if utility == 'power' else '72'}{index * 37 + 100_003:08d}",
        "utility": utility,
        "holder_name": random.choice(SURNAMES) + random.choice(GIVEN),
        "phone": f"1991{index + 1_000_000:07d}",
        "id_last6": f"{random.randint(1, 31):02d}{random.randint(0, 999):03d}{random.choice('0123456789X')}",
        "service_point_id": point,
        "room": f"{random.randint(1, 4)}单元{random.randint(1, 18)}0{random.randint(1, 4)}",
        "state": state,
        "prepaid": prepaid,
        "balance": Decimal(cents) / 100,
        "flags": ["life_support"] if random.random() < 0.004 else [],
    }


def build(points: Sequence[str], now: datetime) -> list[Row]:
    """Rows for `accounts`; amounts and names are the same every time, dates follow `now`."""
    random = Random(SEED)
    rows: list[Row] = [
        {
            "number": a.number,
            "utility": a.utility,
            "holder_name": a.holder,
            "phone": a.phone,
            "id_last6": a.id_last6,
            "service_point_id": a.point,
            "room": a.room,
            "state": a.state,
            "prepaid": a.prepaid,
            "balance": Decimal(a.balance),
            "flags": list(a.flags),
        }
        for a in FIXED
    ]
    rows += [_invented(random, i, points[(i * 7) % len(points)]) for i in range(GENERATED)]
    return [row | _history(random, row["utility"], now) for row in rows]
