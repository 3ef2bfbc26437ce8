"""`mainsdesk simulate wechat | call`: talk to this home's running desk as a follower, or as a caller, in a terminal."""

import os
import secrets
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from dotenv import dotenv_values

from api.settings import CHANNELS, PREFIX, Settings, ensure_env_file, home_folder

if TYPE_CHECKING:
    from tests.simulators.caller import Caller
    from tests.simulators.follower import Follower
    from tests.simulators.leg import Said

PORTS = range(7601, 7700)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Seconds to wait for the desk's words after a message that it has acknowledged without any.
PATIENCE = 8.0
#: Seconds of silence after which the desk has said all.
QUIET = 1.0
#: A pause in a call is kept, but for no longer than this.
LONGEST_PAUSE = 3.0
WECHAT_HELP = """\
Type a message. Ctrl-D ends.
  /picture        send a picture            /voice WORDS    a voice message that WeChat understood as WORDS
  /voice          one that it did not       /place LABEL    send a location
  /menu KEY       tap an entry of the menu  /follow, /unfollow
  Enter           look for new messages     /help"""
CALL_HELP = "Text = speech · k 12# = keys · Enter = silence (or wait on) · Ctrl-D = hang up"


class Trouble(RuntimeError):
    """Why it cannot be simulated, in a sentence."""


def variables(kind: str, port: int) -> dict[str, str]:
    """Development values for one channel: those that it needs, and where its simulator listens."""
    if kind == "wechat":
        from tests.simulators.wechat import Account

        account = Account()
        values = {
            "WECHAT_APP_ID": account.app_id,
            "WECHAT_APP_SECRET": account.app_secret,
            "WECHAT_TOKEN": account.token,
            "WECHAT_AES_KEY": account.aes_key,
        }
        return values | {"WECHAT_API_BASE": f"http://127.0.0.1:{port}"}
    return {
        "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_FROM": "+862395598000",
        "TWILIO_API_BASE": f"http://127.0.0.1:{port}",
    }


def free_port(named: Iterable[str]) -> int:
    """A port for a simulator, below those of desks and in none of the settings `named`."""
    text = " ".join(named)
    for port in PORTS:
        with suppress(OSError):
            if str(port) not in text:
                socket.create_server(("127.0.0.1", port)).close()
                return port
    raise Trouble(f"No free port from {PORTS.start} to {PORTS.stop - 1} for the simulator.")


def set_up(kind: str) -> int:
    """Write random development values into the home's `.env`. Trouble if the channel has real ones."""
    home = home_folder()
    ensure_env_file(home)
    path = home / ".env"
    own = {name: value for name, value in dotenv_values(path).items() if value}
    own |= {name: value for name, value in os.environ.items() if name.startswith(PREFIX) and value}
    values = {PREFIX + name: value for name, value in variables(kind, free_port(own.values())).items()}
    present = sorted(values.keys() & own.keys())
    if present:
        raise Trouble(f"Nothing was written: {', '.join(present)} is set already. Take it out of {path} first.")
    if kind == "call" and f"{PREFIX}PUBLIC_URL" not in own:
        values[f"{PREFIX}PUBLIC_URL"] = f"http://127.0.0.1:{own.get(f'{PREFIX}PORT', '8000')}"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"# for `mainsdesk simulate {kind}` only\n")
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    print(f"Written to {path}: {', '.join(values)}.\nRestart the desk, then: mainsdesk simulate {kind}")
    return 0


def simulate(kind: str, settings: Settings, identity: str = "") -> int:
    """Talk until the input ends; 0. `identity`: OpenID or number, by default a new follower or a usual number.

    Trouble: the channel is off, the desk does not run, or its vendor is no simulator.
    """
    on = settings.wechat_on if kind == "wechat" else settings.voice_on
    if not on:
        channel = "WeChat" if kind == "wechat" else "the telephone"
        names = ", ".join(f"{PREFIX}{name.upper()}" for name in CHANNELS[channel])
        raise Trouble(
            f"{channel[0].upper()}{channel[1:]} is off in {settings.home}. Set {names} (and restart the desk), "
            f"or let `mainsdesk simulate {kind} --setup` write random ones for development."
        )
    route = "/wechat" if kind == "wechat" else "/voice/incoming"
    try:
        status = httpx.post(f"{settings.api_url}{route}", timeout=10, trust_env=False).status_code
    except httpx.HTTPError as problem:
        raise Trouble(f"No desk answers on port {settings.port}. Start it first: make run") from problem
    if status == httpx.codes.NOT_FOUND:
        raise Trouble("The desk that runs was started without this channel. Restart it.")
    with suppress(ImportError):
        import readline  # noqa: F401  # the arrow keys
    return talk_wechat(settings, identity) if kind == "wechat" else talk_call(settings, identity)


def simulator_port(base: str, variable: str) -> int:
    """The loopback port of a vendor's base URL. Trouble where it leads elsewhere."""
    parts = urlsplit(base)
    if parts.hostname not in LOOPBACK or not parts.port:
        raise Trouble(
            f"{PREFIX}{variable} is {base}: the desk's messages would go there, not to the simulator. "
            "Set it to a loopback address such as http://127.0.0.1:7601 and restart the desk."
        )
    return parts.port


def lines() -> Iterator[str]:
    """What is typed, until Ctrl-D."""
    prompt = "you> " if sys.stdin.isatty() else ""
    while True:
        try:
            yield input(prompt).strip()
        except EOFError:
            return


# WeChat


def talk_wechat(settings: Settings, open_id: str) -> int:
    from tests.simulators.follower import Follower
    from tests.simulators.wechat import Account, WechatServer

    account = Account(
        settings.wechat_app_id,
        settings.wechat_app_secret.get_secret_value(),
        settings.wechat_token.get_secret_value(),
        settings.wechat_aes_key.get_secret_value(),
    )
    port = simulator_port(settings.wechat_api_base, "WECHAT_API_BASE")
    try:
        server = WechatServer(account, port)
    except OSError as problem:
        raise Trouble(f"Port {port} is taken: is another simulator running?") from problem
    with server:
        follower = Follower(server, settings.api_url, open_id)
        print(f"Follower {follower.open_id} (come back as him with --as {follower.open_id}).\n{WECHAT_HELP}\n")
        if open_id:
            server.act(open_id, "message")
        else:
            follower.subscribe()
            show(follower)
        for line in lines():
            act_wechat(follower, line)
    return 0


def act_wechat(follower: "Follower", line: str) -> None:
    """One line that was typed."""
    command, _, rest = line.partition(" ")
    match command:
        case "":
            pass
        case "/help":
            print(WECHAT_HELP)
            return
        case "/picture":
            follower.picture()
        case "/voice":
            follower.voice(rest or None)
        case "/place":
            follower.location(rest)
        case "/menu":
            follower.click(rest)
        case "/follow":
            follower.subscribe()
        case "/unfollow":
            follower.unsubscribe()
        case _:
            follower.send(line)
    show(follower)


def show(follower: "Follower") -> None:
    """Print what comes until it is quiet."""
    until = time.monotonic() + PATIENCE
    heard = follower.hear()
    while not heard and follower.wait(max(0.0, until - time.monotonic())):
        heard = follower.hear()
    while heard:
        for got in heard:
            mark = {"passive": "", "service": " (customer-service message)", "fault": " (WeChat's words)"}[got.way]
            print(f"desk{mark}> " + got.text.replace("\n", "\n      "), flush=True)
        follower.wait(QUIET)
        heard = follower.hear()
    for fault in follower.faults:
        print(f"(the desk's answer was not taken: {fault})")
    follower.faults.clear()


# the telephone


def talk_call(settings: Settings, number: str) -> int:
    from tests.simulators.caller import Caller
    from tests.simulators.leg import CallFailed
    from tests.simulators.twilio import Placed, TwilioAccount, TwilioServer

    account = TwilioAccount(
        settings.public_url,
        settings.api_url,
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_from or "+862395598000",
    )
    loopback = urlsplit(settings.twilio_api_base).hostname in LOOPBACK
    port = simulator_port(settings.twilio_api_base, "TWILIO_API_BASE") if loopback else 0
    try:
        server = TwilioServer(account, port)
    except OSError as problem:
        raise Trouble(f"Port {port} is taken: is another simulator running?") from problem

    def placed(kind: str, what: Placed) -> None:
        print(f"(message to {what.to}: {what.body})" if kind == "message" else f"(the desk calls {what.to})")

    server.on_placed = placed
    with server:
        caller = Caller(server, number or "+8613800138000", pause=lambda length: time.sleep(min(length, LONGEST_PAUSE)))
        print(f"Calling as {caller.number}. {CALL_HELP}\n")
        try:
            speak(caller.call())
            for line in until_ended(caller):
                speak(act_call(caller, line))
            caller.hang_up()
        except CallFailed as problem:
            print(f"(the call failed: {problem})", file=sys.stderr)
            return 1
    print("(the call is over)")
    return 0


def until_ended(caller: "Caller") -> Iterator[str]:
    """Lines while there is somebody to say them to."""
    typed = lines()
    while caller.state != "ended":
        line = next(typed, None)
        if line is None:
            return
        yield line


def act_call(caller: "Caller", line: str) -> "Iterable[Said]":
    """One line that was typed, as the state of the call takes it."""
    if caller.state == "recording":
        return caller.leave_message(max(1, len(line) // 4))
    if caller.state == "bridged":
        print("(you were talking to a person, who now ends the call)")
        return caller.agent_hangs_up()
    if caller.state == "waiting" or not line:
        return caller.wait()
    if line.lower().startswith("k ") or line.lower() == "k":
        return caller.press(line[1:].replace(" ", ""))
    return caller.say(line)


def speak(said: "Iterable[Said]") -> None:
    for one in said:
        print(f"desk{' (slowly)' if one.slow else ''}> {one.text}", flush=True)
