"""`make bench`: the bot beside stock Rasa, and how soon agents see what customers write; writes docs/benchmark.md.

`SHARE=n` trains understanding on each n-th example (stock Rasa needs an hour for all of them); `PARTS=understanding`,
`PARTS=turns` or `PARTS=console` measures that part alone.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.benchmark import console, report, turns, understanding

PARTS = {"understanding": report.UNDERSTANDING, "turns": report.TURN, "console": report.CONSOLE}


def main() -> int:
    share, wanted = os.environ.get("SHARE") or "1", os.environ.get("PARTS") or " ".join(PARTS)
    parts = wanted.replace(",", " ").split()
    if not share.isdecimal() or int(share) < 1 or not set(parts) <= PARTS.keys():
        print(f"usage: [SHARE=n] [PARTS={'|'.join(PARTS)}] make bench", file=sys.stderr)
        return 2
    measured: dict[str, list[str]] = {}
    for part in parts:
        where = report.machine()
        with tempfile.TemporaryDirectory(prefix="mainsdesk-bench-") as name:
            folder = Path(name)
            if part == "understanding":
                lines = report.understanding(understanding.measure(folder, int(share)), where)
            elif part == "console":
                lines = report.console(console.measure(folder), where)
            else:
                lines = report.turns(turns.measure(folder), where)
        measured[PARTS[part]] = lines
        print("\n".join(["", PARTS[part], "", *lines]), flush=True)
        report.write(measured)
    print(f"bench: written to {report.REPORT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
