"""The parts' log files: bounded in size, and what in them is worth showing."""

import os
import shutil
from pathlib import Path

#: Bytes of one file; one older one is kept.
MAX_SIZE = 20 * 1024 * 1024
TAIL = 15
NOISE = ("Warning: ", "warnings.warn(", "raise_warning(", "declare_namespace(")


def rotate(log: Path, max_size: int = MAX_SIZE) -> bool:
    """Move the content of a log that has grown beyond `max_size` bytes to `<log>.1`; whether it had.

    The file itself stays, as a process may have it open (for appending); what that writes between copy and cut is lost.
    """
    if not log.exists() or log.stat().st_size <= max_size:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True


def useful_tail(log: Path, start: int = 0) -> str:
    """The last lines since byte `start` that are not blank and not a library's warning."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start if start <= size else 0, size - 64 * 1024))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join([line for line in lines if line.strip() and not any(part in line for part in NOISE)][-TAIL:])
