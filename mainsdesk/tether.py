"""Ties a process to its parent's life, so that not even SIGKILL of the parent leaves an orphan (Linux: prctl(2)).

As a program, `python tether.py PARENT_PID COMMAND …`, it ties itself and then becomes the command. A program of its
own and not Popen's `preexec_fn`, which may deadlock beside threads; standard library only, as it starts every part.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tether(number: signal.Signals) -> None:
    """Have the kernel send this signal when the parent is gone. Does nothing where the kernel cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def tied(*command: object) -> list[str]:
    """The command line that runs `command` tied to this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *map(str, command)]


def main(parent: int, command: list[str]) -> None:
    """Become `command`, tied to `parent`; never returns."""
    tether(signal.SIGKILL)
    if os.getppid() != parent:  # gone before the tie was made
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as problem:
        sys.exit(f"{command[0]} could not start: {problem.strerror}; has set-up run?")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
