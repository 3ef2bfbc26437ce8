"""Takes the pictures of the README from a running desk: `python scripts/screenshots.py [URL]`.

In each language a customer reports a power cut, checks the switches and gets a repair order, all by way of the page.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.page import ChatPage, a_browser

FOLDER = ROOT / "docs" / "images"
#: What is typed (say) or clicked (choose), and what the answer holds.
STEPS = {
    "zh": [
        ("say", "锦绣苑11栋，我家没电了，邻居家有电", "先做哪一样"),
        ("choose", "直接检查", "总开关"),
        ("choose", "没有跳闸", "漏电保护器"),
        ("choose", "没有跳", "电表"),
        ("choose", "余额正常", "姓名"),
        ("say", "王芳，19900001234", "工单号"),
    ],
    "en": [
        ("say", "No power at building 12, Jinxiu Court, only my home", "Which would you like"),
        ("choose", "Check right away", "main switch"),
        ("choose", "It is up", "leakage protector"),
        ("choose", "It has not", "meter"),
        ("choose", "It is on", "name"),
        ("say", "Jane Park, 19900001235", "number"),
    ],
}


def main(url: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with a_browser() as browser:
        for language, steps in STEPS.items():
            tab = ChatPage(browser, url, language, width=1100, height=900)
            for how, words, answer in steps:
                (tab.say if how == "say" else tab.choose)(words, answer)
            tab.page.mouse.move(0, 0)
            tab.page.evaluate("document.activeElement.blur()")
            file = FOLDER / f"chat-{language}.png"
            tab.page.screenshot(path=file, animations="disabled")
            tab.close()
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
