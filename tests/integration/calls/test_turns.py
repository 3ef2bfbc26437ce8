"""Turns of a call: speech and keys, numbers, repeating, silence and mumbling."""

import pytest

from api.channels.voice.tables import Call
from api.db.engine import Database
from api.settings import Settings
from tests.integration.caller import Caller
from tests.integration.calls.talk import EN, bot, customer_lines, owner
from tests.integration.stand_in import Rasa


async def test_choices_become_keys(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("停电", bot("只有您一家停电吗？", choices=("只有我家", "整栋楼", "不清楚", "都停了")))
    rasa.always('/inform{"option": "整栋楼"}', bot("好的，整栋楼。"))
    await zh.say("停电")
    assert "只有我家，请按一" in zh.said
    assert "不清楚，请按三" in zh.said
    assert "都停了" not in zh.said
    assert "也可以直接说" in zh.said
    assert "只有我家" in zh.heard.gather["hints"]
    await zh.press("2")
    assert "好的，整栋楼" in zh.said
    assert await customer_lines(database, zh) == ["停电", "整栋楼"]


@pytest.mark.parametrize("said", ["整栋楼。", "第二个"])
async def test_choices_are_taken_by_their_words(zh: Caller, rasa: Rasa, said: str) -> None:
    rasa.always("停电", bot("只有您一家停电吗？", choices=("只有我家", "整栋楼")))
    rasa.always('/inform{"option": "整栋楼"}', bot("好的，整栋楼。"))
    await (await zh.say("停电")).say(said)
    assert "好的，整栋楼" in zh.said


async def test_yes_and_no_by_key(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("停电", bot("是这里吗？", expects="yes_no"))
    await zh.say("停电")
    assert "是请按一" in zh.said
    await zh.press("2")
    assert await customer_lines(database, zh) == ["停电", "不是"]


async def test_zero_is_a_person_and_star_repeats(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("停电", bot("请问地址是？", expects="place"))
    rasa.always("转人工", bot("好的。"))
    await zh.say("停电")
    first = zh.heard
    await zh.press("*")
    assert zh.heard.text == first.text
    assert zh.heard.gather["action"] != first.gather["action"]
    await zh.press("0")
    assert await customer_lines(database, zh) == ["停电", "转人工"]


async def test_numbers_are_keyed_and_read_back(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("查电费", bot("请告诉我户号。", expects="account"))
    rasa.always("4560", bot("余额是十元。"))
    await zh.say("查电费")
    gather = zh.heard.gather
    assert gather["finishOnKey"] == "#"
    assert "numDigits" not in gather
    assert gather["input"] == "speech dtmf"
    await zh.press("123*4560")
    assert await customer_lines(database, zh) == ["查电费", "4560"]
    assert zh.said.index("您输入的是") < zh.said.index("余额")
    assert "号码不对" in zh.said
    assert "4560" not in zh.said  # spelled


async def test_star_alone_begins_a_number_again(zh: Caller, rasa: Rasa, database: Database) -> None:
    rasa.always("查电费", bot("请告诉我户号。", expects="account"))
    await (await zh.say("查电费")).press("12*")
    assert "户号" in zh.said
    assert await customer_lines(database, zh) == ["查电费"]


async def test_slower_on_request(zh: Caller, rasa: Rasa) -> None:
    rasa.always("停电", bot("请问地址是？", expects="place"))
    await (await zh.say("停电")).say("说慢一点")
    assert "请问地址是" in zh.said
    assert 'rate="slow"' in zh.heard.xml
    await zh.press("*")
    assert 'rate="slow"' in zh.heard.xml


async def test_the_voice_follows_the_language(zh: Caller, rasa: Rasa) -> None:
    rasa.always("please speak English with me", bot("All right, English it is."))
    await zh.say("please speak English with me")
    assert zh.heard.voices == {EN}
    assert zh.heard.gather["language"] == EN


async def test_hints_hold_the_names_of_places(
    zh: Caller,
    rasa: Rasa,
    settings: Settings,
) -> None:
    settings.names_file.write_text('{"place": ["洛河湾", "Luohe Bay"], "line": []}', encoding="utf-8")
    rasa.always("停电", bot("请问地址是？", expects="place"))
    await zh.say("停电")
    hints = zh.heard.gather["hints"].split(",")
    assert "洛河湾" in hints
    assert "Luohe Bay" not in hints


async def test_goodbye_ends_the_call(zh: Caller, rasa: Rasa) -> None:
    rasa.always("再见", bot("感谢您的联系，再见。"))
    await zh.say("再见")
    assert "再见" in zh.said
    await zh.silence()
    assert zh.heard.verbs == ["Hangup"]


async def test_a_step_without_a_number_is_the_present_one(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    await zh.go("/voice/turn", SpeechResult="停电", Confidence="0.9")
    await zh.go("/voice/turn", SpeechResult="没有水", Confidence="0.9")
    assert await customer_lines(database, zh) == ["停电", "没有水"]


async def test_a_step_ahead_is_taken_as_the_present_one(zh: Caller, database: Database) -> None:
    await zh.go("/voice/turn?step=9", SpeechResult="停电", Confidence="0.9")
    assert await customer_lines(database, zh) == ["停电"]
    assert zh.action.startswith("/voice/turn?step=10")


# -- silence, mumbling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["silence", "mumble", "empty", "fallback"])
async def test_two_tries_then_keys_then_a_person(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    what: str,
) -> None:
    rasa.always("哦哦哦", bot("对不起，我没有听明白。"))

    async def fail() -> None:
        if what == "silence":
            await zh.silence()
        elif what == "mumble":
            await zh.say("嗯哼", confidence="0.1")
        elif what == "empty":
            await zh.say("", confidence="0.0")
        else:
            await zh.say("哦哦哦")

    await fail()
    assert zh.heard.gather["input"] == "speech dtmf"
    await fail()
    assert zh.heard.gather["input"] == "dtmf"
    assert "停电请按一" in zh.said
    if what != "fallback":  # whose answers are not listened to any more
        await fail()
        assert zh.heard.gather["input"] == "dtmf"
        await fail()
        assert await owner(database, zh) == "waiting"
        assert "人工" in zh.said


async def test_the_menu_of_keys_leads_on_and_understanding_resets(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    rasa.always("停水了", bot("请问地址是？", expects="place"))
    await zh.silence()
    await zh.silence()
    await zh.press("2")
    assert await customer_lines(database, zh) == ["停水了"]
    assert zh.heard.gather["input"] == "speech dtmf"
    async with database.read() as session:
        call = await session.get_one(Call, zh.sid)
    assert (call.silences, call.misheard, call.keys_only) == (0, 0, False)


async def test_what_is_said_again_is_the_question(zh: Caller, rasa: Rasa) -> None:
    rasa.always("哦哦哦", bot("对不起，我没有听明白。", "好的，和泰花园。", "请问是几栋？"))
    await zh.say("哦哦哦")
    await zh.press("*")
    assert "没有听明白" not in zh.said
    assert "和泰花园" in zh.said
    await zh.silence()
    assert "和泰花园" not in zh.said
    assert "请问是几栋" in zh.said


async def test_silence_and_mumbling_are_counted_apart(zh: Caller) -> None:
    await zh.silence()
    await zh.say("嗯哼", confidence="0.1")
    assert zh.heard.gather["input"] == "speech dtmf"
    await zh.say("嗯哼", confidence="0.1")
    assert zh.heard.gather["input"] == "dtmf"
