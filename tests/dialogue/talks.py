"""One customer on one channel: what a turn of a script makes him do, and what he hears then."""

import re
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.dialogue.backstage import AGENT_PHONE
from tests.dialogue.vendors import Channels
from tests.simulators.caller import Caller
from tests.simulators.follower import Follower
from tests.simulators.leg import Said

#: Seconds in which the desk must have said something.
PATIENCE = 30.0
FINAL = frozenset({"sent", "delivered", "read", "failed", "unknown", "parked", "dead"})


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
        if turn.get("replay"):
            then, now = self.caller.replay()
            assert now == then, f"a replay brought {now.decode()}; {where}"
        if "slow" in turn:
            assert all(said.slow is turn["slow"] for said in self.said), where

    def end(self) -> None:
        self.caller.hang_up()
        assert max(self.channels.twilio.webhooks.seconds) < 5, "a webhook was answered too late"
