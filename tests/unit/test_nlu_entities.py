"""Values read from customers' words, in both languages."""

import time

import pytest

from bot.nlu.extract import extract
from bot.nlu.numbers import decimal


def values(text: str, *entities: str) -> list[tuple[str, str]]:
    return [(v.entity, v.value) for v in extract(text) if v.entity in entities]


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800138000", "13800138000"),
        ("我的电话是138 0013 8000", "13800138000"),
        ("139-0000-1111 李华", "13900001111"),
        ("１３８００１３８０００", "13800138000"),
        ("幺三八零零幺三八零零零", "13800138000"),
        ("电话一三七零零零零八八八八", "13700008888"),
        ("王建军 幺三九，零零零零，五六七八", "13900005678"),
        ("one three eight double zero one three eight triple zero", "13800138000"),
        ("it's one three eight oh oh one two three four five six", "13800123456"),
        ("138 double zero one three eight triple zero", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("0086-13800138000", "13800138000"),
        ("座机023-62801234", "02362801234"),
        ("010 8888 7777", "01088887777"),
        ("(0512) 6234567", "05126234567"),
        ("+44 20 7946 0958", "+442079460958"),
        ("0065 6123 4567", "+6561234567"),
        ("海棠晓月3-2-501 13711112222", "13711112222"),
        ("户号5001000018 电话13800138000", "13800138000"),
        ("my account is 20018832, call 13812345678", "13812345678"),
    ],
)
def test_phone(text: str, phone: str) -> None:
    assert values(text, "phone") == [("phone", phone)]


@pytest.mark.parametrize(
    "text",
    [
        "482109375516",
        "4821 0937 5516",
        "户号13800138000",
        "account number 1380013800",
        "62801234",
        "138001380001",
        "1380013800",
        "何洁1860000011",
        "表号00981723",
        "身份证500101199001011234",
        "3-2-501",
        "2026-11-22 18:30",
        "一百三十八块",
        "two or three",
    ],
)
def test_no_phone(text: str) -> None:
    assert values(text, "phone") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("482109375516", "482109375516"),
        ("工单4821 0937 5516到哪了", "482109375516"),
        ("ticket 4821-0937-5516 please", "482109375516"),
        ("四八二一零九三七五五幺六", "482109375516"),
        ("four eight two one oh nine three seven double five one six", "482109375516"),
    ],
)
def test_ticket_number(text: str, number: str) -> None:
    assert values(text, "ticket_number", "account", "phone") == [("ticket_number", number)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("户号5001000018", "5001000018"),
        ("我的户号是 5001 0000 18", "5001000018"),
        ("账号：500100001812", "500100001812"),
        ("my account number is 2001883201", "2001883201"),
        ("customer no. 77-201-4456", "772014456"),
        ("5001000018", "5001000018"),
        ("户号五零零幺零零零零幺八", "5001000018"),
    ],
)
def test_account(text: str, number: str) -> None:
    assert values(text, "ticket_number", "account", "phone") == [("account", number)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("充了200块没到账", [("amount", "200")]),
        ("冰箱花了三千五百元", [("amount", "3500")]),
        ("余额还有42.5元", [("amount", "42.5")]),
        ("it cost 2,300 yuan", [("amount", "2300")]),
        ("¥88.00", [("amount", "88.00")]),
        ("水表读数1482", [("reading", "1482")]),
        ("电表现在是 20418 度", [("reading", "20418")]),
        ("356吨", [("reading", "356")]),
        ("the meter reads 12403", [("reading", "12403")]),
        ("my reading is 150 kWh", [("reading", "150")]),
        ("一度电多少钱", []),
    ],
)
def test_amount_and_reading(text: str, expected: list[tuple[str, str]]) -> None:
    assert values(text, "amount", "reading") == expected


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("三千五", "3500"),
        ("一千二", "1200"),
        ("十五", "15"),
        ("两万零五百", "20500"),
        ("四十二", "42"),
        ("一百零五", "105"),
    ],
)
def test_chinese_numerals(said: str, value: str) -> None:
    assert decimal(said) == value


def listed(block: str) -> list[str]:
    return [text.strip() for line in block.strip().splitlines() for text in line.split("|")]


HOUSEHOLD = """
    the neighbours have water but I don't | everyone else is fine, only my flat is out | 邻居都有水我没有
    就我一家没电 | 只有我家停了 | 就我家 | 就我屋企冇電 | 邻居家有电 | 隔壁都有电，就我没有
    楼上楼下都有，就我没有 | 整栋楼都有电就我没有 | 别人家都亮着 | 楼道灯是亮的 | 只有我们家
    旁边邻居家都有水 | 就俺家 | 为什么就我家没电 | only my flat is dark | just us | only me
    neighbours have light | my neighbours still have power | everyone else has electricity
    next door has got light | the rest of the building is fine | other flats have power
    the whole street has lights except us | the corridor lights are on
"""
SURROUNDINGS = """
    the neighbours have none but the shop is open | 我们村都停电了 | 隔壁几家都停了 | it isn't only us
    整栋楼都没电 | 整条街都是 | 全小区停电 | 邻居也没电 | 隔壁也没有 | 周围都黑的 | 附近都没有 | 不止我家
    不只是我一家没电 | 我们这栋楼全停了 | 就我们这一层 | 成條街都係 | 全村都没得 | 左右邻居都没有
    路灯也不亮 | 半条街 | 一百多户吧 | 对面楼也没电 | whole street | the entire building is dark
    not only me | it's not just my flat | my neighbours have no power either | neighbours are out too
    everyone in the building | street lights are off too | all of us | every house on our road
    just my street
"""
SAYS_NOTHING = """
    我家没电了 | 没电 | 是不是只有我家停电 | 就我一家吗？ | 我家在一栋 | 一楼 | 我一个人在家
    my flat has no power | is it only me? | is it the whole street or just my flat | the light is off
    what's the price | 一户一表怎么办 | 整个屋子都是黑的
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, [("scope", "household")]) for text in listed(HOUSEHOLD)),
        *((text, [("scope", "surroundings")]) for text in listed(SURROUNDINGS)),
        *((text, []) for text in listed(SAYS_NOTHING)),
    ],
)
def test_scope(text: str, expected: list[tuple[str, str]]) -> None:
    assert values(text, "scope") == expected


@pytest.mark.parametrize(
    ("text", "utilities"),
    [
        ("停电了", ["power"]),
        ("灯都不亮", ["power"]),
        ("跳闸", ["power"]),
        ("什么时候来水", ["water"]),
        ("水龙头不出水", ["water"]),
        ("有电没水", ["water"]),
        ("停水了但是有电", ["water"]),
        ("没水也没电", ["water", "power"]),
        ("no power", ["power"]),
        ("taps are dry", ["water"]),
        ("my water heater trips the breaker", ["power"]),
        ("我的电话是多少", []),
        ("电梯坏了", []),
        ("hello", []),
    ],
)
def test_utility(text: str, utilities: list[str]) -> None:
    assert [value for _, value in values(text, "utility")] == utilities


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("昨晚十点左右停的", "昨晚十点左右"),
        ("明天上午有人在家", "明天上午"),
        ("一个小时前就没了", "一个小时前"),
        ("since 8 this morning", "8 this morning"),
        ("tomorrow at 10", "tomorrow"),
        ("two hours ago", "two hours ago"),
        ("it went off at 7:30 pm", "at 7:30 pm"),
    ],
)
def test_time(text: str, said: str) -> None:
    assert said in [value for _, value in values(text, "time")] or any(said in v for _, v in values(text, "time"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("我住海棠晓月", "海棠晓月"),
        ("珊瑚路18号没电", "珊瑚路18号"),
        ("no power at 14 Shanhu Road", "14 shanhu road"),
        ("Nanhu Garden, building 3", "nanhu garden"),
        ("三栋二单元501", "三栋二单元501"),
        ("我住福泽苑6栋", "福泽苑6栋"),
    ],
)
def test_place(text: str, place: str) -> None:
    assert any(place in value for _, value in values(text, "place"))


def test_a_value_stands_where_the_customer_wrote_it() -> None:
    text = "電話：幺三八零零幺三八零零零，唔該"
    (phone,) = [v for v in extract(text) if v.entity == "phone"]
    assert text[phone.start : phone.end] == "幺三八零零幺三八零零零"


@pytest.mark.parametrize(
    "piece", ["1", "一", "one ", "1 ", "1-", "邻居", "花园", "路", "号", "neighbours ", "today ", "就我家", "138", "a"]
)
def test_the_longest_message_is_read_quickly(piece: str) -> None:
    text = (piece * 1000)[:1000]
    started = time.process_time()
    extract(text)
    assert time.process_time() - started < 0.5
