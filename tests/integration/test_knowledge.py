"""The knowledge base over HTTP and as the bot tells it: who sees what, validity, own articles, filled replies."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import update

from api.agents.tables import Agent
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.knowledge.files import load
from api.network.tables import Place, ServicePoint
from api.tickets.tables import Ticket
from bot.actions.articles import tell_article
from bot.actions.desk import Desk
from bot.actions.information import ActionPrice
from bot.actions.turn import SLOTS, Turn

Headers = dict[str, str]
NewConversation = Callable[..., Awaitable[Conversation]]
ARTICLES, REPLIES = "/api/v1/articles", "/api/v1/replies"
OWN = """
id: {id}
utility: power
intents: [{intent}]
title: {{zh: 本地规定, en: Local rule}}
body: {{zh: 本地的说法。, en: As it is here.}}
keywords: {{zh: [本地], en: [local]}}
source: {{document: {{zh: 本公司规定, en: Our own rules}}}}
reviewed_on: 2026-01-01
{more}
"""


def write_article(home: Path, id: str, intent: str, more: str = "") -> Path:
    path = home / "articles" / f"{id}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(OWN.format(id=id, intent=intent, more=more), encoding="utf-8")
    return path


async def get(client: httpx.AsyncClient, path: str, headers: Headers, **params: Any) -> Any:
    answer = await client.get(path, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_bot_gets_the_article_of_an_intent_without_what_is_for_agents(
    client: httpx.AsyncClient, bot: Callable[..., Headers], service: Headers, conversation: NewConversation
) -> None:
    await conversation()
    asked = {"intent": "faq_card_refund", "q": "电卡能退吗", "language": "zh"}
    [told] = (await get(client, ARTICLES, bot("cv_1"), **asked))["items"]
    [shown] = (await get(client, ARTICLES, service, **asked))["items"]
    assert (told["id"], told["state"], told["advice"]) == ("card_refund", "current", None)
    assert shown["advice"]["zh"]
    assert {**shown, "advice": None} == told
    assert told["source"]["processes"] == ["B7"]
    assert told["source"]["document"]["en"] == "Beijing power customer service manual"
    assert told["body"]["spoken"]["en"] != told["body"]["en"]
    assert await get(client, f"{ARTICLES}/card_refund", bot("cv_1")) == told


async def test_the_bot_has_no_list_and_no_replies(
    client: httpx.AsyncClient, bot: Callable[..., Headers], conversation: NewConversation
) -> None:
    await conversation()
    assert (await client.get(ARTICLES, headers=bot("cv_1"))).json()["type"] == "intent-required"
    assert (await client.get(ARTICLES, params={"q": "退费"}, headers=bot("cv_1"))).status_code == 422
    assert (await client.get(REPLIES, headers=bot("cv_1"))).status_code == 403
    assert (await client.get(ARTICLES)).status_code == 401
    assert (await client.get(f"{ARTICLES}/nothing", headers=bot("cv_1"))).status_code == 404


async def test_staff_search(client: httpx.AsyncClient, service: Headers) -> None:
    found = (await get(client, ARTICLES, service, q="ldbhq"))["items"]
    assert found[0]["id"] == "leakage_protector"
    everything = (await get(client, ARTICLES, service))["items"]
    assert len(everything) == len(load().articles)
    assert len((await get(client, ARTICLES, service, limit=3))["items"]) == 3


@pytest.mark.parametrize("more", ["valid_until: 2026-03-03", "valid_from: 2026-03-05"])
async def test_customers_are_not_told_what_is_not_valid_today(
    client: httpx.AsyncClient,
    bot: Callable[..., Headers],
    service: Headers,
    conversation: NewConversation,
    tmp_path: Path,
    more: str,
) -> None:
    write_article(tmp_path, "card_refund", "faq_card_refund", more)
    await conversation()
    asked = {"intent": "faq_card_refund"}
    assert (await get(client, ARTICLES, bot("cv_1"), **asked))["items"] == []
    assert (await client.get(f"{ARTICLES}/card_refund", headers=bot("cv_1"))).status_code == 404
    [shown] = (await get(client, ARTICLES, service, **asked))["items"]
    assert (shown["title"]["en"], shown["state"]) == ("Local rule", "expired" if "until" in more else "upcoming")


async def test_validity_ends_with_the_local_day(
    client: httpx.AsyncClient,
    bot: Callable[..., Headers],
    conversation: NewConversation,
    tmp_path: Path,
    clock: Any,
) -> None:
    write_article(tmp_path, "card_refund", "faq_card_refund", "valid_until: 2026-03-04")
    await conversation()
    clock.now = clock.now.replace(hour=15, minute=59)  # 23:59 in Shanghai
    assert (await get(client, ARTICLES, bot("cv_1"), intent="faq_card_refund"))["items"]
    clock.advance(minutes=1)
    assert not (await get(client, ARTICLES, bot("cv_1"), intent="faq_card_refund"))["items"]


async def test_a_home_adds_articles_and_replies(client: httpx.AsyncClient, service: Headers, tmp_path: Path) -> None:
    write_article(tmp_path, "parking", "ask_outlet")
    (tmp_path / "replies.yml").write_text(
        "replies:\n- {id: greeting, key: hi, group: greeting, text: {zh: 请讲。, en: Welcome. Please go ahead.}}\n"
        "- {id: holiday, key: cj, group: closing, text: {zh: 祝您春节快乐。, en: Happy New Year.}}\n",
        encoding="utf-8",
    )
    assert (await get(client, f"{ARTICLES}/parking", service))["title"]["en"] == "Local rule"
    [first, *others] = (await get(client, REPLIES, service))["items"]
    assert first["text"]["en"] == "Welcome. Please go ahead."
    assert others[-1]["id"] == "holiday"


async def test_replies_are_filled_from_the_conversation(
    client: httpx.AsyncClient, service: Headers, database: Database, conversation: NewConversation, clock: Any
) -> None:
    await conversation()
    path = f"{REPLIES}?conversation_id=cv_1"
    [filed] = (await get(client, path, service, q="gd", conversation_id="cv_1"))["items"][:1]
    assert (filed["id"], filed["missing"]) == ("ticket_filed", ["ticket", "address"])
    async with database.write() as session, session.begin():
        talk = await session.get(Conversation, "cv_1")
        assert talk is not None
        talk.sheet = {"place": {"address": {"zh": "大桥旁", "en": "By the bridge"}}, "contact": {"name": "王建国"}}
    [filed] = (await get(client, path, service, q="gd", conversation_id="cv_1"))["items"][:1]
    assert "大桥旁" in filed["text"]["zh"]
    assert "By the bridge" in filed["text"]["en"]
    assert filed["missing"] == ["ticket"]
    async with database.write() as session, session.begin():
        for row in (
            Place(id="pl", kind="estate", name_zh="海棠晓月", name_en="Haitang Xiaoyue", area_class="urban"),
            ServicePoint(
                id="sp", place_id="pl", number="3", area_class="urban",
                address_zh="海棠晓月3栋", address_en="Building 3",
            ),
            *(
                Ticket(
                    number=number, kind="fault_report", utility="power", priority=4, language="zh",
                    service_point_id="sp", address="海棠晓月3栋2单元", contact_name="李梅",
                    conversation_id="cv_1", created_at=at, updated_at=at,
                )
                for number, at in (("123456789012", clock()), ("111111111111", clock() - timedelta(hours=1)))
            ),
        ):  # fmt: skip
            session.add(row)
            await session.flush()
    [filed] = (await get(client, path, service, q="gd", conversation_id="cv_1"))["items"][:1]
    assert filed["missing"] == []
    assert "1234 5678 9012" in filed["text"]["zh"]
    assert "海棠晓月3栋" in filed["text"]["zh"]
    assert "Building 3" in filed["text"]["en"]
    [name] = (await get(client, path, service, q="zjn", conversation_id="cv_1"))["items"][:1]
    assert name["text"]["en"].startswith("Thank you for your understanding, 李梅.")
    assert (await client.get(REPLIES, params={"conversation_id": "cv_2"}, headers=service)).status_code == 404


async def test_a_greeting_names_the_agent(
    client: httpx.AsyncClient, service: Headers, database: Database, conversation: NewConversation
) -> None:
    await conversation()
    mei = {"username": "mei", "password": "correct horse", "role": "agent", "languages": ["zh"], "skills": []}
    assert (await client.post("/api/v1/agents", json=mei, headers=service)).status_code == 201
    token = (await client.post("/api/v1/agents/login", json={"username": "mei", "password": "correct horse"})).json()
    headers = {"Authorization": f"Bearer {token['token']}"}
    asked = {"q": "hi", "conversation_id": "cv_1"}
    assert "mei" in (await get(client, REPLIES, headers, **asked))["items"][0]["text"]["en"]
    async with database.write() as session, session.begin():
        await session.execute(update(Agent).values(name="梅梅"))
    assert "梅梅" in (await get(client, REPLIES, headers, **asked))["items"][0]["text"]["en"]


# -- as the bot tells it ----------------------------------------------------------------------------------------------


@pytest.fixture
def turn(app: FastAPI, bot: Callable[..., Headers]) -> Callable[..., Turn]:
    """`turn("words")`: a turn of the bot whose API is the app; `down=True`: an API that nobody answers for."""

    def make(words: str, *, language: str = "zh", channel: str = "web", down: bool = False) -> Turn:
        token = {"Authorization": bot("cv_1")["Authorization"]}
        client = (
            httpx.AsyncClient(base_url="http://127.0.0.1:9", headers=token, trust_env=False)
            if down
            else httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk/api/v1", headers=token)
        )
        return Turn(
            CollectingDispatcher(), Desk("cv_1", "ms_cv_1", 1, client=client), language, words, "", 1.0, [], [],
            {"channel": channel}, dict.fromkeys(SLOTS),
        )  # fmt: skip

    return make


def said(turn: Turn) -> list[str]:
    return [message["text"] or message["response"] for message in turn.dispatcher.messages]


@pytest.mark.parametrize("channel", ["web", "wechat", "voice"])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_bot_says_an_article_as_the_channel_needs_it(
    turn: Callable[..., Turn], conversation: NewConversation, channel: str, language: str
) -> None:
    await conversation()
    talk = turn("低保户有优惠吗", language=language, channel=channel)
    await tell_article(talk, "low_income_discount")
    article = next(one for one in load().articles if one.id == "low_income_discount")
    texts = (article.body, *article.steps)
    assert said(talk) == [(text.aloud if channel == "voice" else text.both)[language] for text in texts]


async def test_the_bot_numbers_several_steps(turn: Callable[..., Turn], conversation: NewConversation) -> None:
    await conversation()
    talk = turn("漏电保护器怎么试")
    await tell_article(talk, "faq_leakage_protector")
    assert len(said(talk)) == 2
    assert [line[:3] for line in said(talk)[1].splitlines()] == ["1. ", "2. "]


async def test_the_bot_says_honestly_what_it_may_not_tell(
    turn: Callable[..., Turn], conversation: NewConversation, tmp_path: Path
) -> None:
    write_article(tmp_path, "card_refund", "faq_card_refund", "valid_until: 2026-03-03")
    await conversation()
    talk = turn("电卡能退吗")
    await tell_article(talk, "faq_card_refund")
    assert said(talk) == ["utter_article_to_check"]
    assert [button["title"] for button in talk.dispatcher.messages[0]["buttons"]] == ["转人工"]


async def test_the_bot_says_a_changed_text_at_once_and_nothing_that_was_ended(
    turn: Callable[..., Turn], conversation: NewConversation, client: httpx.AsyncClient, service: Headers
) -> None:
    await conversation()
    new = {"zh": "从今天起，电卡余额请到营业厅退。", "en": "From today on, card credit is refunded at a service hall."}
    path = f"{ARTICLES}/card_refund"
    assert (await client.patch(path, json={"version": 0, "body": new}, headers=service)).status_code == 200
    for language in ("zh", "en"):
        talk = turn("电卡能退吗", language=language)
        await tell_article(talk, "faq_card_refund")
        assert said(talk)[0] == new[language]
    assert (await client.post(f"{path}/end", json={"version": 1}, headers=service)).status_code == 200
    talk = turn("电卡能退吗")
    await tell_article(talk, "faq_card_refund")
    assert said(talk) == ["utter_article_to_check"]


async def test_no_general_price_is_told_where_the_particular_rule_is_open(
    turn: Callable[..., Turn], conversation: NewConversation, client: httpx.AsyncClient, service: Headers
) -> None:
    await conversation()
    asked = turn("小区的水价为什么要分摊损耗")
    await ActionPrice().tell(asked)
    assert len(said(asked)) > 1
    ended = await client.post(f"{ARTICLES}/estate_water_price/end", json={"version": 0}, headers=service)
    assert ended.status_code == 200
    asked = turn("小区的水价为什么要分摊损耗")
    await ActionPrice().tell(asked)
    assert said(asked) == ["utter_article_to_check"]


async def test_the_bot_says_honestly_that_it_cannot_look(turn: Callable[..., Turn]) -> None:
    talk = turn("电卡能退吗", down=True)
    await tell_article(talk, "faq_card_refund")
    assert said(talk) == ["utter_article_not_reached"]
    assert talk.dispatcher.messages[0]["buttons"]
