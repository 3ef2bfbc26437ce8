"""Written sentences for the ear: numbers, times, sums, units, and what only a screen shows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.channels.voice.speech import digits, spoken

ZH = [
    # Numbers that name something, digit by digit.
    ("工单号 1234 5678 9012。", "工单号幺二三四，五六七八，九零幺二。"),
    ("工单号123456789012已登记", "工单号幺二三四，五六七八，九零幺二已登记"),
    ("电话：13812345678", "电话：幺三八，幺二三四，五六七八"),
    ("电话138 1234 5678。", "电话幺三八，幺二三四，五六七八。"),
    ("电话023-6640-0001。", "电话零二三，六六四零，零零零幺。"),
    ("电话(023)66400001", "电话零二三，六六四零，零零零幺"),
    ("户号5001000018是", "户号五零零，幺零零，零零幺八是"),
    ("户号******0018没有欠费", "户号尾号零零幺八没有欠费"),
    ("138****5678", "尾号五六七八"),
    ("请拨打95598，有人受伤请打120，着火请打119。", "请拨打九五五九八，有人受伤请打幺二零，着火请打幺幺九。"),
    ("身份证后六位03152X", "身份证后六位零三幺，五二X"),
    ("读数12345", "读数幺二三四五"),
    # Numbers that count.
    ("12345户，120户，2户", "一万二千三百四十五户，一百二十户，两户"),
    ("您排在第2位，前面还有2位。", "您排在第二位，前面还有两位。"),
    ("12位工单号", "十二位工单号"),
    ("1,234户", "一千二百三十四户"),
    ("气温-5度，1.5倍，007号", "气温-五度，一点五倍，零零七号"),
    ("201至400度，3-5天", "二百零一至四百度，三到五天"),
    ("30%", "百分之三十"),
    # Places.
    ("海棠晓月3栋2单元302室", "海棠晓月三栋二单元三零二室"),
    ("珊瑚路21号", "珊瑚路二十一号"),
    ("12#楼", "十二号楼"),
    # Times and dates.
    ("今天15:30", "今天下午三点半"),
    ("明天08:05至12:00", "明天早上八点零五分至中午十二点"),
    ("下午3:15", "下午三点十五分"),
    ("02:00、14:00、24:00", "凌晨两点、下午两点、晚上十二点"),
    ("今晚22:00到23:30，明早8:05", "今晚十点到晚上十一点半，明早八点零五分"),
    ("08:30-17:30", "早上八点半至下午五点半"),
    ("15时20分，13点", "下午三点二十分，下午一点"),
    ("有2点建议", "有两点建议"),
    ("3月4日", "三月四日"),
    ("2月2号14:30", "二月二日下午两点半"),
    ("2026-03-04 15:30", "二零二六年三月四日下午三点半"),
    ("2026年3月", "二零二六年三月"),
    ("约2小时30分钟", "约两小时三十分钟"),
    ("24小时", "二十四小时"),
    # Money.
    ("12.50元", "十二元五角"),
    ("213.55元", "二百一十三元五角五分"),
    ("3.05元，12.00元，0.52元，2元", "三元零五分，十二元，五角二分，两元"),
    ("-5.20元，0元", "负五元两角，零元"),
    ("¥12.5", "十二元五角"),
    ("每度0.525元", "每度零点五二五元"),
    ("7.5元/吨", "七元五角每吨"),
    # Units.
    ("10 kV、0.4kV、220V", "十千伏、零点四千伏、二百二十伏"),
    ("350kWh，350度", "三百五十度，三百五十度"),
    ("0.35MPa，150 kPa", "零点三五兆帕，一百五十千帕"),
    ("12m³，25℃", "十二立方米，二十五度"),
    # What is only seen.
    ("请见 https://example.com/a?b=1，谢谢", "请见我们的网站，谢谢"),
    ("请上www.example.com.cn查询", "请上我们的网站查询"),
    ("发邮件到a.b@example.com。", "发邮件到电子邮箱。"),
    ("好的👌🏽，请讲😀。", "好的，请讲。"),
    ("请说“转人工”。", "请说转人工。"),
    ("户号（缴费单上有）。", "户号，缴费单上有。"),
    ("电缆/电线", "电缆或电线"),
    ("您可以点选下面的选项，也可以转人工。", "请直接说，也可以转人工。"),
    ("隐私说明请见页面下方的“隐私”。", ""),
    ("请把电话发在这里。", "请把电话告诉我。"),
    ("请检查漏保", "请检查漏电保护器"),
    ("可以到：\n· 南坪厅，江南大道18号（24小时）\n· 珊瑚路", "可以到：南坪厅，江南大道十八号，二十四小时。珊瑚路"),
    ("按1，按#结束，按*重来", "按一，按井号键结束，按星号键重来"),
    ("**请注意**", "请注意"),
    ("１３８１２３４５６７８", "幺三八，幺二三四，五六七八"),
    # Spoken already.
    ("下午三点半，幺三八，五元二角。", "下午三点半，幺三八，五元二角。"),
    ("", ""),
]
EN = [
    ("number 1234 5678 9012.", "number one two three four, five six seven eight, nine zero one two."),
    ("Phone: 13812345678", "Phone: one three eight, one two three four, five six seven eight"),
    ("phone 023-6640-0001.", "phone zero two three, six six four zero, zero zero zero one."),
    ("Account ******0018 owes nothing", "Account ending in zero zero one eight owes nothing"),
    ("call 120; in a fire call 119", "call one two zero; in a fire call one one nine"),
    ("the hotline 95598", "the hotline nine five five nine eight"),
    ("the 12-digit ticket number", "the 12-digit ticket number"),
    ("12345 households", "12345 households"),
    ("Building 3, unit 2", "Building 3, unit 2"),
    ("today at 15:30", "today at 3:30 PM"),
    ("from 08:00 to 12:00", "from 8 AM to noon"),
    ("00:00", "midnight"),
    ("00:30 and 12:15", "12:30 AM and 12:15 PM"),
    ("3:30 PM", "3:30 PM"),
    ("Mon–Fri 08:30-17:30; Sun closed", "Monday to Friday 8:30 AM to 5:30 PM; Sunday closed"),
    ("2026-03-04", "4 March 2026"),
    ("4 March at 15:30", "4 March at 3:30 PM"),
    ("about 2 h 30 min", "about 2 hours 30 minutes"),
    ("(24 h)", "24 hours"),
    ("12.50 yuan", "twelve yuan fifty"),
    ("213.05 yuan, 12.00 yuan", "two hundred and thirteen yuan oh five, twelve yuan"),
    ("0.52 yuan a kWh", "0.52 yuan a kilowatt-hour"),
    ("-12.50 yuan, ¥1,234", "minus twelve yuan fifty, one thousand two hundred and thirty-four yuan"),
    ("10 kV, 1 kWh, 350 kWh", "10 kilovolts, 1 kilowatt-hour, 350 kilowatt-hours"),
    ("0.35 MPa, 150kPa, 30%", "0.35 megapascals, 150 kilopascals, 30 percent"),
    ("see https://example.com/a.", "see our website."),
    ("write to a.b@example.com", "write to the e-mail address"),
    ("say “talk to a person”.", "say talk to a person."),
    ("your account number (it is on the bill).", "your account number, it is on the bill."),
    ("and/or, a pole/wire", "or, a pole or wire"),
    ("Please click the button below.", "please say it."),
    ("Please type your number", "Please say your number"),
    ("OK 👍", "OK"),
    ("filed.\nAddress: X\nPhone: Y", "filed. Address: X. Phone: Y"),
    ("press # to end", "press the hash key to end"),
    ("", ""),
]


@pytest.mark.parametrize(("written", "said"), ZH)
def test_chinese(written: str, said: str) -> None:
    assert spoken(written, "zh") == said


@pytest.mark.parametrize(("written", "said"), EN)
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        ("13800138000", "幺三八，零零幺三，八零零零", "one three eight, zero zero one three, eight zero zero zero"),
        (
            "+86 138 0013 8000",
            "幺三八，零零幺三，八零零零",
            "one three eight, zero zero one three, eight zero zero zero",
        ),
        ("0871-1234567", "零八七幺，幺二三，四五六七", "zero eight seven one, one two three, four five six seven"),
        ("02366400001", "零二三，六六四零，零零零幺", "zero two three, six six four zero, zero zero zero one"),
        (
            "1234 5678 9012",
            "幺二三四，五六七八，九零幺二",
            "one two three four, five six seven eight, nine zero one two",
        ),
        ("95598", "九五五九八", "nine five five nine eight"),
        ("03152x", "零三幺，五二X", "zero three one, five two X"),
        ("456", "四五六", "four five six"),
        ("", "", ""),
        ("工单号", "", ""),
    ],
)
def test_digits(number: str, zh: str, en: str) -> None:
    assert digits(number, "zh") == zh
    assert digits(number, "en") == en


def test_slowly_there_is_a_pause_after_every_digit() -> None:
    assert digits("456", "zh", slow=True) == "四，五，六"
    assert spoken("工单号123456", "zh", slow=True) == "工单号幺，二，三，四，五，六"
    assert spoken("number 123456", "en", slow=True) == "number one, two, three, four, five, six"


#: Pieces that lines are made of, so that what is tried looks like what is written.
PIECES = st.sampled_from(
    [*(written for written, _ in (*ZH, *EN) if written), *"（）“”()·*#/-–:：.,，。?？!%&+元度室 \n", *"0123456789"]
)
LINES = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join))
LANGUAGES = st.sampled_from(["zh", "en"])


@given(LINES, LANGUAGES, st.booleans())
def test_nothing_that_cannot_be_heard_is_left(text: str, language: str, slow: bool) -> None:
    said = spoken(text, language, slow=slow)
    assert not re.search(r"https?:|www\.|[“”「」（）{}\n*#]", said, re.IGNORECASE)
    if language == "zh":
        assert not re.search("[0-9]", said)


@given(st.text())
def test_digits_are_said_in_words(text: str) -> None:
    assert not any(sign.isascii() and sign.isdigit() for sign in digits(text, "zh") + digits(text, "en"))


@pytest.mark.parametrize(("written", "language"), [*((w, "zh") for w, _ in ZH), *((w, "en") for w, _ in EN)])
def test_what_is_spoken_already_stays(written: str, language: str) -> None:
    said = spoken(written, language)
    assert spoken(said, language) == said
