"""Set-up: makes both environments and, for the tests, finds a browser. Where all is there, it does and says nothing.

    python3 scripts/setup.py            what `make run` needs
    python3 scripts/setup.py tests      and what `make test` needs
    python3 scripts/setup.py lint       the same without a browser
    python3 scripts/setup.py bench      what `make bench` needs: that, and stock Rasa, TensorFlow and all (2.7 GB)
    python3 scripts/setup.py compile    pyproject.toml -> requirements/*.txt

Standard library only, as it runs before anything is installed.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit("Set-up needs Python 3.11 (found {}.{}).".format(*sys.version_info[:2]))

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
LOG = TOOLS / "setup.log"
REQUIREMENTS = ROOT / "requirements"
STAND_IN = ROOT / "packages" / "rasa-without-tensorflow"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CJK_FONT = "fonts-noto-cjk"


class SetupError(Exception):
    """What to tell the person at the keyboard."""


def say(text: str) -> None:
    print(f"set-up: {text}", flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    say(f"{text} …")
    started = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - started:.0f} s")


def run(command: Sequence[str | Path], **env: str) -> None:
    """Run to the end, output into the log; a failure ends set-up with the log's last lines."""
    with LOG.open("a") as out:
        print("$", *command, file=out, flush=True)
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | env,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:  # Ctrl-C or SIGTERM: what the command itself started ends too
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
    if code:
        tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-12:])
        name = " ".join([Path(command[0]).name, *map(str, command[1:4])])
        raise SetupError(f"`{name} …` failed:\n{tail}\nAll of it: {LOG}")


def digest(*files: Path) -> str:
    content = hashlib.sha256()
    for file in files:
        content.update(file.read_bytes())
    return content.hexdigest()


class Environment:
    """A virtual environment and the requirement file it was last made from, noted in a stamp inside it."""

    def __init__(self, folder: str, version: str, requirements: str, covers: Sequence[str] = ()) -> None:
        self.folder = ROOT / folder
        self.version = version
        self.requirements = REQUIREMENTS / requirements
        self.covers = covers  # smaller requirement files that this one contains
        self.extra: tuple[Path, ...] = ()

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.folder / "set-up.stamp"

    def mark(self, requirements: Path) -> str:
        return f"{requirements.name} {digest(requirements, *self.extra)}"

    @property
    def place(self) -> str:
        """Scripts in an environment name its folder, so a copied or moved one is of no use."""
        return f"Python {self.version} in {self.folder}"

    def noted(self) -> list[str]:
        """The stamp's lines; none while an installation is under way or where one was cut short."""
        lines = self.stamp.read_text().splitlines() if self.stamp.is_file() else []
        return lines if lines[:1] == [self.place] and self.python.exists() else []

    def is_ready(self) -> bool:
        return self.mark(self.requirements) in self.noted()

    def make(self, uv: Path) -> None:
        if not self.noted() or version_of(self.python) != self.version:
            interpreter = find_python(self.version, uv)
            say(f"Python {self.version} for {self.folder.name}: {interpreter}")
            run([uv, "venv", "-q", "--clear", "--no-project", "--python", interpreter, self.folder])
        self.stamp.unlink(missing_ok=True)
        with step(f"installing {self.requirements.relative_to(ROOT)} into {self.folder.name}"):
            sync = [uv, "pip", "sync", "-q", "--require-hashes", "--compile-bytecode"]
            run([*sync, "--python", self.python, self.requirements], **pip_index())
            self.finish()
        covered = [self.requirements, *(REQUIREMENTS / name for name in self.covers)]
        self.stamp.write_text("\n".join([self.place, *map(self.mark, covered)]) + "\n")

    def finish(self) -> None:
        """What an environment needs beside its packages."""


class BotEnvironment(Environment):
    def __init__(self) -> None:
        super().__init__(".venv-bot", "3.10", "bot.txt")
        self.extra = tuple(sorted(STAND_IN.glob("rasa_without_tensorflow.*")))

    def finish(self) -> None:
        packages = self.folder / "lib" / f"python{self.version}" / "site-packages"
        for file in self.extra:
            shutil.copy(file, packages)


def pip_index() -> dict[str, str]:
    """uv reads no settings of pip's: hand it the mirror that pip is to use, if any. The hashes guard what comes."""
    if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & os.environ.keys():
        return {}
    ask = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    asked = subprocess.run(ask, capture_output=True, text=True, check=False)
    url = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {"UV_DEFAULT_INDEX": url} if url else {}


def version_of(python: Path) -> str | None:
    """Such as "3.10"; None if it does not run (pyenv's shims answer 127) or lacks parts of the standard library."""
    ask = "import ctypes, sqlite3, ssl, zlib, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", ask], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def find_python(version: str, uv: Path) -> Path:
    """An interpreter of that version: this one, one on the PATH, pyenv's, or one that uv knows or can download."""
    name = f"python{version}"
    pyenv = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"), Path.home() / ".pyenv"]
    candidates = [Path(sys.executable)]
    candidates += [Path(folder) / name for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for root in pyenv:
        candidates += sorted(root.glob(f"versions/{version}.*/bin/{name}"), reverse=True)
    for candidate in candidates:
        if candidate.is_file() and version_of(candidate) == version:
            return candidate
    if found := known_to_uv(version, uv):
        return found
    say(f"no Python {version} on the PATH or under pyenv, asking uv to download one …")
    subprocess.run([uv, "python", "install", "-q", version], stdin=subprocess.DEVNULL, check=False)
    if found := known_to_uv(version, uv):
        return found
    raise SetupError(
        f"Python {version} is needed and could neither be found nor downloaded.\n"
        "Install it with one of these, then try again:\n"
        f"  apt-get install {name} {name}-venv    (Debian or Ubuntu, where the release has it)\n"
        f"  pyenv install {version}\n"
        f"  {uv} python install {version}    (where downloads from GitHub are possible)"
    )


def known_to_uv(version: str, uv: Path) -> Path | None:
    command = [uv, "python", "find", "--no-project", "--system", version]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = Path(done.stdout.strip() or "/")
    return found if found.is_file() and version_of(found) == version else None


def ensure_uv() -> Path:
    """uv of the version and hash in requirements/tools.txt, in a folder of its own; else the machine's."""
    environment, wanted = TOOLS / "uv", REQUIREMENTS / "tools.txt"
    uv, stamp = environment / "bin" / "uv", environment / "set-up.stamp"
    mark = f"{digest(wanted)} {environment}"
    if uv.is_file() and stamp.is_file() and stamp.read_text() == mark:
        return uv
    try:
        with step("installing uv"):
            run([sys.executable, "-m", "venv", "--clear", environment])
            run([environment / "bin" / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", wanted])
    except SetupError:
        if not (found := shutil.which("uv")):
            raise
        say(f"using {found} instead")
        return Path(found)
    stamp.write_text(mark)
    return uv


def ensure_browser() -> None:
    """A Chromium for the end-to-end tests, and a font with Chinese glyphs for what it draws."""
    missing = [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    if not has_cjk_font():
        missing.append(CJK_FONT)
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with step(f"installing {' and '.join(missing)}"):
            try:
                run(["apt-get", "update", "-q"], DEBIAN_FRONTEND="noninteractive")
            except SetupError:
                say("apt-get update failed, trying with the lists at hand")
            run(
                ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing],
                DEBIAN_FRONTEND="noninteractive",
            )
    elif "chromium" in missing:
        raise SetupError(
            "the end-to-end tests need a Chromium. Install it, then try again:\n"
            f"  Debian: sudo apt-get install {' '.join(missing)}\n"
            "  elsewhere: any Chromium or Google Chrome on the PATH"
        )
    else:
        say(f"no Chinese font found, screenshots will show boxes (Debian: sudo apt-get install {CJK_FONT})")


def has_cjk_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False).stdout.strip())


@contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time in this checkout: a second one waits, then finds the work done."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another one is under way, waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(*, tests: bool = False, browser: bool = False, bench: bool = False) -> None:
    desk = Environment(".venv", "3.11", "test.txt", ["desk.txt"]) if tests else Environment(".venv", "3.11", "desk.txt")
    environments = [desk, BotEnvironment()]
    if bench:
        environments.append(Environment(".venv-stock", "3.10", "stock.txt"))
    if not all(environment.is_ready() for environment in environments):
        with alone():
            LOG.write_text("")
            for environment in environments:
                if not environment.is_ready():
                    environment.make(ensure_uv())
    if browser and not (any(map(shutil.which, BROWSERS)) and has_cjk_font()):
        with alone():
            ensure_browser()


def compile_requirements() -> None:
    """Pin everything, with hashes and without the name of any index or folder of this machine.

    `UPGRADE=1` in the environment takes newer releases; otherwise pins that still fit stay.
    """
    options = ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "-q"]
    if os.environ.get("UPGRADE"):
        options.append("--upgrade")
    project = ["pyproject.toml", "--group"]
    sources: dict[str, tuple[str, list[str]]] = {
        "tools": ("3.11", ["requirements/tools.in", "--no-config"]),
        "bot": ("3.10", [*project, "bot"]),
        "stock": ("3.10", ["requirements/stock.in", "--no-config"]),
        "desk": ("3.11", [*project, "desk"]),
        # The tests run on exactly the desk that is delivered.
        "test": ("3.11", [*project, "test", "--constraint", "requirements/desk.txt"]),
    }
    with alone():
        uv = ensure_uv()
        for name, (version, source) in sources.items():
            with step(f"compiling requirements/{name}.txt"):
                target = ["--python-version", version, "-o", f"requirements/{name}.txt"]
                run([uv, "pip", "compile", *source, *options, *target])


def main(arguments: Sequence[str]) -> int:
    commands: dict[str, Callable[[], None]] = {
        "": set_up,
        "lint": lambda: set_up(tests=True),
        "tests": lambda: set_up(tests=True, browser=True),
        "bench": lambda: set_up(tests=True, browser=True, bench=True),
        "compile": compile_requirements,
    }
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # which also ends the running command
    command = commands.get(" ".join(arguments))
    if command is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        command()
    except SetupError as problem:
        print(f"set-up: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
