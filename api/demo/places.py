"""The demo utility's places and network, as data. Names are Chongqing Nan'an's style; most estates are invented."""

import csv
from pathlib import Path
from typing import NamedTuple


class District(NamedTuple):
    zh: str
    en: str
    area_class: str
    plant: str


class PlaceRow(NamedTuple):
    """A place; `size` is its number of buildings or houses, 0 where it is a single supply point."""

    key: str
    kind: str
    zh: str
    en: str
    district: str
    feeder: str
    size: int
    aliases: str


DISTRICTS = {
    "nanping": District("南坪街道", "Nanping", "urban", "huangjuedu"),
    "haitangxi": District("海棠溪街道", "Haitangxi", "urban", "huangjuedu"),
    "tongyuanju": District("铜元局街道", "Tongyuanju", "urban", "huangjuedu"),
    "danzishi": District("弹子石街道", "Danzishi", "urban", "huangjuedu"),
    "tushan": District("涂山镇", "Tushan", "urban", "huangjuedu"),
    "nanshan": District("南山街道", "Nanshan", "rural", "huangjuedu"),
    "xiakou": District("峡口镇", "Xiakou", "rural", "yinglong"),
    "guangyang": District("广阳镇", "Guangyang", "rural", "yinglong"),
    "yinglong": District("迎龙镇", "Yinglong", "remote", "yinglong"),
}

PLANTS = {"huangjuedu": ("黄桷渡水厂", "Huangjuedu waterworks"), "yinglong": ("迎龙水厂", "Yinglong waterworks")}

SUBSTATIONS = {
    "nanping": ("110千伏南坪变电站", "Nanping 110 kV substation", 110),
    "tushan": ("110千伏涂山变电站", "Tushan 110 kV substation", 110),
    "yinglong": ("35千伏迎龙变电站", "Yinglong 35 kV substation", 35),
}

#: 10 kV lines: key → (substation, zh, en).
LINES = {
    "dongluo": ("nanping", "东洛线", "Dongluo line"),
    "wanguang": ("nanping", "万广线", "Wanguang line"),
    "pingxi": ("nanping", "坪西线", "Pingxi line"),
    "haitong": ("nanping", "海铜线", "Haitong line"),
    "danzi": ("tushan", "弹子线", "Danzi line"),
    "tuxue": ("tushan", "涂学线", "Tuxue line"),
    "huangjue": ("tushan", "黄桷线", "Huangjue line"),
    "xiajiang": ("yinglong", "峡江线", "Xiajiang line"),
    "guangyang": ("yinglong", "广阳线", "Guangyang line"),
    "longling": ("yinglong", "龙岭线", "Longling line"),
}

#: Line sections between two switches: key → (line, zh, en).
SECTIONS = {
    "dongluo_front": ("dongluo", "东洛线前段", "Dongluo line, front section"),
    "dongluo_rear": ("dongluo", "东洛线后段", "Dongluo line, rear section"),
    "wanguang_1": ("wanguang", "万广线万达广场1号开闭所", "Wanguang line, Wanda Plaza switching station 1"),
    "wanguang_3": ("wanguang", "万广线万达广场3号开闭所", "Wanguang line, Wanda Plaza switching station 3"),
}

#: Places next door that neighbouring stations serve (A3 2): zh, en, aliases, unit.
OUTSIDE = (
    ("yipin", "一品镇", "Yipin Town", "一品街|一品|Yipin", "neighbour_yipin"),
    ("changsheng", "长生桥", "Changsheng Bridge", "长生桥镇|长生|Changshengqiao|Changsheng", "neighbour_changsheng"),
    ("lujiao", "鹿角镇", "Lujiao Town", "鹿角老街|鹿角|Lujiao", "neighbour_lujiao"),
    ("guanghui", "广辉村", "Guanghui Village", "广辉|Guanghui", "neighbour_guanghui"),
)


def _rows() -> list[PlaceRow]:
    text = (Path(__file__).parent / "places.csv").read_text("utf-8")
    return [
        PlaceRow(
            row["key"],
            row["kind"],
            row["zh"],
            row["en"],
            row["district"],
            row["feeder"],
            int(row["size"]),
            row["aliases"],
        )
        for row in csv.DictReader(text.splitlines())
    ]


#: From places.csv.
PLACES: list[PlaceRow] = _rows()
