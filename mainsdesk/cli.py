"""The command line: `python -m mainsdesk run | status | load | menu | audit | backup | simulate`; see `--help`."""

import argparse
import asyncio
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from pydantic import ValidationError

from api.settings import PREFIX, Settings, ensure_env_file, home_folder, load_settings
from mainsdesk.parts import ROOT
from mainsdesk.ports import PortTaken, check_ports
from mainsdesk.supervisor import local_url, run
from mainsdesk.tether import tether
from mainsdesk.training import TrainingFailed, ensure_model
from mainsdesk.training import main as train


class Refused(RuntimeError):
    """Why a command cannot be done, in a sentence for whoever gave it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 after a failure, 2 for a command that is none."""
    parser = argparse.ArgumentParser(prog="mainsdesk", description="The front desk of a power and water utility.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything; Ctrl-C ends it")
    commands.add_parser("status", help="whether the desk of this home is ready")
    commands.add_parser("train", help="bring the bot's model up to date, with what supervisors have reviewed")
    load = commands.add_parser("load", help="load a utility's own data from a folder of CSV files")
    load.add_argument("folder")
    menu = commands.add_parser("menu", help="send the menu to the WeChat account, or show the one that it has")
    menu.add_argument("act", choices=("publish", "show"))
    simulate = commands.add_parser("simulate", help="talk to the running desk as a WeChat follower or a caller")
    simulate.add_argument("kind", choices=("wechat", "call"))
    simulate.add_argument("--setup", action="store_true", help="write random development secrets into the home's .env")
    simulate.add_argument("--as", dest="identity", default="", help="the OpenID or telephone number to be")
    audit = commands.add_parser("audit", help="check that no entry of the audit log was altered, removed or inserted")
    audit.add_argument("act", choices=("verify",))
    audit.add_argument("--expect", default="", metavar="HASH", help="the last hash of an earlier check")
    audit.add_argument("--after", default="", metavar="ID:HASH", help="the last entry that was removed by procedure")
    backup = commands.add_parser("backup", help="copy this home, running or not, to an empty folder")
    backup.add_argument("folder")
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "run":
                return run_desk()
            case "status":
                return status()
            case "train":
                return train()
            case "menu":
                return wechat_menu(given.act)
            case "audit":
                return audit_log(given.expect, given.after)
            case "backup":
                return back_up_home(given.folder)
            case "simulate":
                return simulate_channel(given.kind, given.identity, setup=given.setup)
            case _:
                return load_folder(given.folder)
    except (Refused, PortTaken, TrainingFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def settings_of_home() -> Settings:
    """The settings, each wrong one named by its variable; Refused."""
    try:
        settings = load_settings()
        settings.zone  # noqa: B018  # raises for a zone that does not exist
    except ValidationError as problem:
        faults = [
            f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" if e["loc"] else e["msg"].removeprefix("Value error, ")
            for e in problem.errors()
        ]
        raise Refused("\n".join(faults)) from problem
    except (LookupError, ValueError) as problem:
        raise Refused(f"{PREFIX}TIMEZONE: {problem}") from problem
    return settings


def run_desk() -> int:
    """Start the desk of this home and stay until it ends."""
    end_with_make()
    home = home_folder()
    try:
        first_time = ensure_env_file(home)
    except OSError as problem:
        raise Refused(f"{home} cannot hold this desk's state: {problem.strerror}. Set MAINSDESK_HOME.") from problem
    if first_time:
        print(f"settings: new secrets in {home / '.env'}", flush=True)
    settings = settings_of_home()
    with only_desk_of(settings):
        check_ports(settings)
        model = keep_model(ensure_model(ROOT, home), home)
        return asyncio.run(run(settings, model))


def end_with_make() -> None:
    """Stop when `make` is killed: `make run` and what it started are one thing to whoever gave the command."""
    try:
        parent = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:
        return
    if parent in ("make", "gmake"):
        tether(signal.SIGTERM)


@contextmanager
def only_desk_of(settings: Settings) -> Iterator[None]:
    """Held while this desk runs, and not a moment longer, however it ends. Refused while another one holds it."""
    with (settings.home / "desk.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            file.seek(0)
            raise Refused(
                f"A desk is running on {settings.home} already ({file.read().strip() or 'starting'}). "
                "For a second one choose another home and port: MAINSDESK_HOME=other MAINSDESK_PORT=8010 make run"
            ) from held
        file.truncate(0)
        file.write(f"pid {os.getpid()}, {local_url(settings)}\n")
        file.flush()
        yield


def keep_model(model: Path, home: Path) -> Path:
    """The home's own link to the model, which a later training elsewhere may prune while this desk runs."""
    own = home / "model.tar.gz"
    new = home / ".model.new"
    new.unlink(missing_ok=True)
    try:
        os.link(model, new)
    except OSError:  # another file system
        shutil.copyfile(model, new)
    new.replace(own)
    return own


def status() -> int:
    """Print what /readyz says; 0 if everything is ready."""
    settings = settings_of_home()
    try:
        token = {"Authorization": f"Bearer {settings.service_token.get_secret_value()}"}
        parts = httpx.get(f"{settings.api_url}/readyz", headers=token, timeout=10, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        print(f"The front desk does not answer on port {settings.port}.")
        return 1
    ready, warnings = bool(parts.pop("ready", False)), parts.pop("warnings", [])
    for name, answers in parts.items():
        print(f"{name}: {'ready' if answers else 'does not answer'}")
    print(f"desk: {'ready' if ready else 'not ready'} at {local_url(settings)}")
    for words in warnings:
        print(f"warning: {words}")
    return 0 if ready else 1


def simulate_channel(kind: str, identity: str, *, setup: bool) -> int:
    """Be a follower or a caller of the running desk, or set its channel up for that."""
    from mainsdesk.simulate import Trouble, set_up
    from mainsdesk.simulate import simulate as talk

    try:
        return set_up(kind) if setup else talk(kind, settings_of_home(), identity)
    except Trouble as problem:
        raise Refused(problem) from problem


def wechat_menu(act: str) -> int:
    """Publish or show the menu of the WeChat account, and print what WeChat said."""
    from api.prepare import create_schema
    from mainsdesk.menu import menu_command

    settings = settings_of_home()
    if not settings.wechat_on:
        raise Refused(f"WeChat is not configured: set {PREFIX}WECHAT_APP_ID and its other secrets.")
    asyncio.run(create_schema(settings))  # the access token is kept in the database
    status, words = menu_command(settings, act)
    print(words, file=sys.stderr if status else sys.stdout)
    return status


def audit_log(expect: str, after: str) -> int:
    """Check the audit log; 1 for one that does not hold, with its first fault."""
    from mainsdesk.audit import verify_log

    status, words = verify_log(settings_of_home(), expect, after)
    print(words, file=sys.stderr if status else sys.stdout)
    return status


def back_up_home(folder: str) -> int:
    """Back this home up."""
    from mainsdesk.backup import CannotBackUp, back_up

    try:
        print(back_up(settings_of_home(), Path(folder).resolve()))
    except CannotBackUp as problem:
        raise Refused(problem) from problem
    return 0


def load_folder(folder: str) -> int:
    """Load a utility's own data, into a database that is created if need be."""
    from api.loading import main as load
    from api.prepare import create_schema

    ensure_env_file(home_folder())
    asyncio.run(create_schema(settings_of_home()))
    return load(folder)
