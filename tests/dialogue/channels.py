"""Whole conversations through the vendors' channels: one real desk, simulators in the vendors' places, scripts in YAML.

name: what it shows
language: zh | en
needs: [agent]           # optional: an agent is signed in while it lasts; else nobody is
turns:
- say: 我家停电了          # WeChat: say, choose: label (its number is sent), picture, voice: words or '',
  expect: [哪里]           # place: label, click: key, follow, storm: text (three copies at once); telephone: call,
  refuse: [工单号]         # say, press: keys, silence, mumble, wait, message (leave one), messages (SMS that came),
                         # hang_up, agent_hangs_up, whisper; both: do: … (see `Backstage`)
  owner: bot               # optional
  way: passive | service   # WeChat: how all of it came; `texts: 2`: as how many messages
  state: gathering         # telephone: the state of the call afterwards
  spoken: zh | en          # telephone: the language of the voice
tickets:                   # the conversation's, oldest first; named fields are compared, /…/ is a regular expression
- {kind: fault_report, utility: power, address: /和泰花园3栋/}
deliveries: {sent: 1}      # WeChat: optional, the conversation's deliveries by state
"""

import re
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import yaml

from tests.e2e.desk import Desk
from tests.simulators.caller import Caller, Said
from tests.simulators.follower import Follower
from tests.simulators.twilio import TwilioAccount, TwilioServer
from tests.simulators.wechat import Account, WechatServer

#: Seconds in which the desk must have said something.
PATIENCE = 30.0
AGENT, PASSWORD = "dialogue_agent", "a long enough password"
AGENT_PHONE = "+8613900139000"
PUBLIC_URL = "https://desk.example.com"
FINAL = frozenset({"sent", "delivered", "read", "failed", "unknown", "parked", "dead"})


def zone_of_noon() -> str:
    """A time zone in which it is about eleven in the morning: rest hours and closing times are far away."""
    east = 11 - datetime.now(UTC).hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


@dataclass
class Channels:
    """The desk, and the vendors that it talks to."""

    desk: Desk
    wechat: WechatServer
    twilio: TwilioServer
    client: httpx.Client

    def get(self, path: str, **params: str) -> Any:
        answer = self.client.get(path, params=params, headers=self.desk.service)
        answer.raise_for_status()
        return answer.json()

    def send(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        own = {"Idempotency-Key": str(uuid.uuid4()), **(headers or self.desk.service)}
        answer = self.client.request(method, path, json=body, headers=own)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """What the desk's database holds, where no API tells a test."""
        path = f"file:{quote(str(self.desk.home / 'mainsdesk.db'))}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def tickets(self, conversation_id: str) -> list[dict[str, Any]]:
        found = self.get("/api/v1/tickets", conversation_id=conversation_id)["items"]
        return sorted(found, key=lambda ticket: str(ticket["created_at"]))


def open_channels(desk: Desk) -> Iterator[Channels]:
    """Start the simulators and a desk whose two channels lead to them."""
    account = Account()
    twilio_account = TwilioAccount(PUBLIC_URL, desk.base_url)
    with WechatServer(account) as wechat, TwilioServer(twilio_account) as twilio:
        desk.environment |= {
            "MAINSDESK_TIMEZONE": zone_of_noon(),
            "MAINSDESK_PUBLIC_URL": PUBLIC_URL,
            "MAINSDESK_WECHAT_APP_ID": account.app_id,
            "MAINSDESK_WECHAT_APP_SECRET": account.app_secret,
            "MAINSDESK_WECHAT_TOKEN": account.token,
            "MAINSDESK_WECHAT_AES_KEY": account.aes_key,
            "MAINSDESK_WECHAT_API_BASE": wechat.url,
            "MAINSDESK_TWILIO_ACCOUNT_SID": twilio_account.sid,
            "MAINSDESK_TWILIO_AUTH_TOKEN": twilio_account.auth_token,
            "MAINSDESK_TWILIO_FROM": twilio_account.number,
            "MAINSDESK_TWILIO_API_BASE": twilio.url,
        }
        fresh_database(desk.home)
        desk.start()
        with desk.client() as client:
            channels = Channels(desk, wechat, twilio, client)
            own = {"username": AGENT, "password": PASSWORD, "role": "agent", "languages": ["zh", "en"], "skills": []}
            channels.send("POST", "/api/v1/agents", own)
            yield channels
        desk.stop()


def fresh_database(home: Path) -> None:
    """Let the desk seed a new one: the times of the prepared one were made for another zone."""
    (home / "mainsdesk.db").unlink(missing_ok=True)


@dataclass
class Backstage:
    """What agents, operators and vendors do in a dialogue: `do: name`, with more keys beside it."""

    channels: Channels
    token: str = ""
    outage: str = ""

    def do(self, turn: dict[str, Any], conversation_id: str) -> None:
        getattr(self, f"do_{turn['do']}")(turn, conversation_id)

    def sign_in(self) -> None:
        body = {"username": AGENT, "password": PASSWORD}
        self.token = self.channels.send("POST", "/api/v1/agents/login", body)["token"]
        self.channels.send("POST", "/api/v1/agents/presence", {}, self.as_agent)

    def sign_out(self) -> None:
        """The agent goes, and what was changed about him."""
        self.channels.twilio.behaviours.clear()
        if self.token:
            self.do_agent_phone({"number": ""}, "")
            self.channels.send("POST", "/api/v1/agents/logout", {}, self.as_agent)
            self.token = ""

    @property
    def as_agent(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def act(self, act: str, conversation_id: str, **body: str) -> None:
        self.channels.send("POST", f"/api/v1/conversations/{conversation_id}/{act}", body, self.as_agent)

    def do_claim(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("claim", conversation_id)

    def do_reply(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("reply", conversation_id, text=turn["text"])

    def do_release(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("release", conversation_id)

    def do_close(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("close", conversation_id)

    def do_agent_phone(self, turn: dict[str, Any], conversation_id: str) -> None:
        """Give the agent a telephone, or (`number: ''`) take it away."""
        number = turn.get("number", AGENT_PHONE)
        self.channels.send("PATCH", f"/api/v1/agents/{AGENT}", {"phone": number})

    def do_agent_is(self, turn: dict[str, Any], conversation_id: str) -> None:
        """How the agent's telephone takes calls: `how: busy`."""
        self.channels.twilio.behaviours[AGENT_PHONE] = turn["how"]

    def do_outage(self, turn: dict[str, Any], conversation_id: str) -> None:
        """A new fault where `at` is, told by the operators."""
        places = self.channels.get("/api/v1/places", q=turn["at"])["candidates"]
        utility = turn.get("utility", "power")
        asset = places[0]["chain"][utility][0]
        end = datetime.fromtimestamp(time.time() + 7200, UTC).isoformat()
        causes = {"cause_zh": "设备故障", "cause_en": "equipment failure"}
        body = {"kind": "fault", "utility": utility, "asset_id": asset["id"], "expected_end_at": end, **causes}
        self.outage = self.channels.send("POST", "/api/v1/outages", body)["id"]

    def do_restored(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.send("PATCH", f"/api/v1/outages/{self.outage}", {"status": "restored"})

    def do_later(self, turn: dict[str, Any], conversation_id: str) -> None:
        """The end of the outage is expected four hours from now."""
        end = datetime.fromtimestamp(time.time() + 4 * 3600, UTC).isoformat()
        self.channels.send("PATCH", f"/api/v1/outages/{self.outage}", {"expected_end_at": end})

    def do_vendor_busy(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.busy(turn.get("times", 1))

    def do_vendor_broken(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.broken(turn.get("times", 1))

    def do_tokens_end(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.expire_tokens()

    def do_tokens_taken(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.invalidate_tokens()


class Talk(Protocol):
    """One customer on one channel."""

    def take(self, turn: dict[str, Any]) -> str:
        """Do what the turn says; what was heard, joined by line breaks."""

    @property
    def conversation_id(self) -> str: ...

    def check(self, turn: dict[str, Any], where: str) -> None:
        """What only this channel knows of."""

    def end(self) -> None: ...


@dataclass
class WechatTalk:
    channels: Channels
    read: list[Any] = field(default_factory=list)
    #: All that was read before, for its numbered options.
    shown: str = ""

    def __post_init__(self) -> None:
        self.follower = Follower(self.channels.wechat, self.channels.desk.base_url)

    @property
    def conversation_id(self) -> str:
        found = self.channels.rows(
            "select conversation_id from wechat_followers where open_id = ?", self.follower.open_id
        )
        return str(found[0][0]) if found and found[0][0] else ""

    def take(self, turn: dict[str, Any]) -> str:
        follower = self.follower
        match turn:
            case {"say": text}:
                follower.send(text)
            case {"choose": label}:
                follower.send(self.number_of(label))
            case {"picture": _}:
                follower.picture()
            case {"voice": words}:
                follower.voice(words or None)
            case {"place": label}:
                follower.location(label)
            case {"click": key}:
                follower.click(key)
            case {"follow": _}:
                follower.subscribe()
            case {"unfollow": _}:
                follower.unsubscribe()
            case {"storm": text}:
                self.storm(text)
            case {"exhaust": _}:
                self.channels.wechat.mailboxes[follower.open_id].left = 0
            case {"window_over": _}:
                self.channels.wechat.close_window(follower.open_id)
            case {"do": _}:
                pass
            case _:
                raise AssertionError(f"no such turn: {turn}")
        self.read = self.hear(something=bool(turn.get("expect")))
        text = "\n".join(got.text for got in self.read)
        if re.search(r"(?m)^\s*1[.、]", text) or "do" not in turn:
            self.shown = text
        return text

    def storm(self, text: str) -> None:
        """One message in three copies at the same time, as WeChat's retries under load."""
        follower = self.follower
        follower.server.act(follower.open_id, "message")
        xml = follower.xml("text", Content=text, MsgId=str(uuid.uuid4().int % 10**17))
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda _: follower.post(xml), range(3)))
        assert all(answer.statuses[-1] == 200 for answer in answers), answers
        replies = {answer.reply for answer in answers if answer.reply}
        assert len(replies) <= 1, f"one message was answered in {len(replies)} ways"
        if replies:  # the follower sees the answer to the one try that WeChat waits for
            one = next(index for index, got in enumerate(follower.read) if index >= follower.heard)
            same = [got for got in follower.read[one:] if got.text in replies]
            for copy in same[1:]:
                follower.read.remove(copy)

    def number_of(self, label: str) -> str:
        for line in self.shown.splitlines():
            found = re.match(r"\s*(\d+)[.、)]\s*(.*)", line)
            if found and label in found[2]:
                return found[1]
        raise AssertionError(f"no option {label!r} in:\n{self.shown}")

    def hear(self, *, something: bool) -> list[Any]:
        """All messages until the desk has nothing more to say or to send. `something`: at least one is waited for."""
        until = time.monotonic() + PATIENCE
        if something:
            self.follower.wait(PATIENCE)
        while not self.done():
            assert time.monotonic() < until, f"the desk was busy for {PATIENCE:.0f} s"
            time.sleep(0.1)
        return self.follower.hear()

    def done(self) -> bool:
        own = self.conversation_id
        if not own:
            return True
        if self.channels.get(f"/api/v1/conversations/{own}")["busy"]:
            return False
        return not set(self.states()) - FINAL

    def states(self) -> Counter[str]:
        query = "select state, count(*) from deliveries where channel = 'wechat' and recipient = ? group by state"
        return Counter(dict(self.channels.rows(query, self.follower.open_id)))

    def check(self, turn: dict[str, Any], where: str) -> None:
        assert not self.follower.faults, f"WeChat would not take the answer: {self.follower.faults}; {where}"
        ways = {got.way for got in self.read}
        if "way" in turn:
            assert ways == {turn["way"]}, f"it came {ways}; {where}"
        if "texts" in turn:
            assert len(self.read) == turn["texts"], f"{len(self.read)} messages; {where}"
        if "states" in turn:
            assert dict(self.states()) == turn["states"], where

    def end(self) -> None:
        self.follower.close()


@dataclass
class CallTalk:
    channels: Channels
    number: str
    said: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.caller = Caller(self.channels.twilio, self.number, pause=lambda seconds: time.sleep(min(seconds, 0.3)))

    @property
    def conversation_id(self) -> str:
        found = self.channels.rows("select conversation_id from voice_calls where sid = ?", self.caller.sid)
        return str(found[0][0]) if found else ""

    def take(self, turn: dict[str, Any]) -> str:
        caller = self.caller
        match turn:
            case {"call": _}:
                self.said = caller.call()
            case {"say": text}:
                self.said = caller.say(text)
            case {"press": keys}:
                self.said = caller.press(str(keys))
            case {"silence": _}:
                self.said = caller.silence()
            case {"mumble": _}:
                self.said = caller.mumble()
            case {"wait": times}:
                self.said = self.wait(times or 1)
            case {"message": seconds}:
                self.said = caller.leave_message(seconds or 12)
            case {"hang_up": _}:
                caller.hang_up()
                self.said = []
            case {"agent_hangs_up": _}:
                self.said = caller.agent_hangs_up()
            case {"whisper": _}:
                heard = self.channels.twilio.whispers.get(AGENT_PHONE, [])
                self.said = [Said(text, "", "", slow=False) for text in heard]
            case {"messages": least}:
                self.said = [Said(text, "", "", slow=False) for text in self.messages(least)]
            case {"do": _}:
                self.said = []
            case _:
                raise AssertionError(f"no such turn: {turn}")
        return "\n".join(said.text for said in self.said)

    def messages(self, least: int) -> list[str]:
        """The SMS that came to the caller's number, once there are so many."""
        twilio = self.channels.twilio
        with twilio.changed:
            twilio.changed.wait_for(lambda: len(self.sent()) >= least, PATIENCE)
            return self.sent()

    def sent(self) -> list[str]:
        return [message.body for message in self.channels.twilio.messages if message.to == self.number]

    def wait(self, rounds: int) -> list[Said]:
        """Stay on the line for some rounds, or until something else happens."""
        said: list[Said] = []
        before = self.caller.state
        while rounds and self.caller.state == before:
            said += self.caller.wait()
            rounds -= 1
        return said

    def check(self, turn: dict[str, Any], where: str) -> None:
        if "state" in turn:
            assert self.caller.state == turn["state"], f"the call is {self.caller.state}; {where}"
        if "spoken" in turn:
            tongues = {"zh" if said.language.startswith(("zh", "cmn")) else "en" for said in self.said}
            assert tongues == {turn["spoken"]}, f"spoken in {tongues}; {where}"
        if "slow" in turn:
            assert all(said.slow is turn["slow"] for said in self.said), where

    def end(self) -> None:
        self.caller.hang_up()
        assert max(self.channels.twilio.webhooks.seconds) < 5, "a webhook was answered too late"


def play(channels: Channels, talk: Talk, path: Path) -> None:
    """Hold the conversation of one file and compare."""
    script = yaml.safe_load(path.read_text(encoding="utf-8"))
    backstage = Backstage(channels)
    if "agent" in script.get("needs", []):
        backstage.sign_in()
    try:
        for number, turn in enumerate(script["turns"], 1):
            if "do" in turn:
                backstage.do(turn, talk.conversation_id)
            said = talk.take(turn)
            act = {name: value for name, value in turn.items() if name not in ("expect", "refuse", "owner")}
            where = f"turn {number}, {act} was answered with:\n{said}"
            for pattern in turn.get("expect", []):
                assert re.search(pattern, said, re.IGNORECASE), f"{pattern!r} is missing; {where}"
            for pattern in turn.get("refuse", []):
                assert not re.search(pattern, said, re.IGNORECASE), f"{pattern!r} was said; {where}"
            talk.check(turn, where)
            if "owner" in turn:
                owner = channels.get(f"/api/v1/conversations/{talk.conversation_id}")["owner"]
                assert owner == turn["owner"], f"the owner is {owner}; {where}"
        compare_tickets(channels.tickets(talk.conversation_id) if talk.conversation_id else [], script)
    finally:
        backstage.sign_out()
        talk.end()


def compare_tickets(tickets: list[dict[str, Any]], script: dict[str, Any]) -> None:
    wanted = script.get("tickets", [])
    assert len(tickets) == len(wanted), [f"{t['kind']} {t['topic']} {t['status']}" for t in tickets]
    for ticket, fields in zip(tickets, wanted, strict=True):
        for name, value in fields.items():
            assert matches(value, ticket[name]), f"{name} is {ticket[name]!r}, not {value!r}"


def matches(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("/") and wanted.endswith("/"):
        return re.search(wanted[1:-1], str(actual)) is not None
    return bool(wanted == actual)


def scripts(channel: str) -> list[Path]:
    return sorted((Path(__file__).parent / channel).glob("*.yml"))


def languages(channel: str) -> Counter[str]:
    return Counter(yaml.safe_load(path.read_text(encoding="utf-8"))["language"] for path in scripts(channel))
