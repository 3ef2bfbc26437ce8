"""Takes the pictures of the README from a running desk: `python scripts/screenshots.py [URL]`.

In each language a customer reports a power cut, checks the switches and gets a repair order, all by way of the page;
another one asks for a person, and an agent answers him at the console. The desk's `.env` is read for its service token.
"""

import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from api.settings import load_settings
from tests.dialogue.customer import Customer
from tests.e2e.console.seat import PASSWORD, Seat
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

#: What customers write before they are taken, what is said then, who the agent is.
SHIFTS = {
    "zh": {
        "customers": [
            ("锦绣苑7栋，我家没电了，邻居家有电", "转人工"),
            ("水费怎么比上个月多一倍", "转人工"),
            ("配电箱冒烟了，着火了", "转人工"),
        ],
        "reply": "您好，我是坐席李娜。请问电表箱上有红灯亮吗？",
        "answer": "有一个红灯一直在闪",
        "note": "红灯闪：先核对是否欠费停电，再派单。@wang",
        "name": "李娜",
        "colleague": "王强",
    },
    "en": {
        "customers": [
            ("No power at building 8, Jinxiu Court, only my home", "I want to talk to a human"),
            ("Why is my water bill twice last month's?", "I want to talk to a human"),
            ("Smoke and fire at the meter box", "I want to talk to a human"),
        ],
        "reply": "Good morning, this is Li Na. Is there a red light on the meter box?",
        "answer": "Yes, a red light keeps flashing",
        "note": "Red light: see whether the supply was cut for arrears before a crew is sent. @wang",
        "name": "Li Na",
        "colleague": "Wang Qiang",
    },
}


def chat(browser: Browser, url: str, language: str, steps: list[tuple[str, str, str]]) -> None:
    """A customer's page."""
    tab = ChatPage(browser, url, language, width=1100, height=900)
    for how, words, answer in steps:
        (tab.say if how == "say" else tab.choose)(words, answer)
    tab.page.mouse.move(0, 0)
    tab.page.evaluate("document.activeElement.blur()")
    take(tab.page, f"chat-{language}")
    tab.close()


def console(browser: Browser, url: str, language: str, shift: dict[str, Any]) -> None:
    """An agent's page, the tickets, and the supervisor's, light; the agent's dark, too."""
    headers = {"Authorization": f"Bearer {load_settings().service_token.get_secret_value()}"}
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        names = {}
        for role, name in (("supervisor", shift["colleague"]), ("agent", shift["name"])):
            names[role] = f"{role}-{uuid.uuid4().hex[:4]}"
            body = {"username": names[role], "password": PASSWORD, "role": role, "name": name, "language": language}
            body |= {"languages": ["zh", "en"], "skills": []}
            own = headers | {"Idempotency-Key": uuid.uuid4().hex}
            client.post("/api/v1/agents", json=body, headers=own).raise_for_status()
        agent, supervisor = (Seat(browser, url, names[role], language) for role in ("agent", "supervisor"))
        for seat in (agent, supervisor):
            seat.sign_in().at_inbox()
            seat.present()
        customers = [Customer(client, language) for _ in shift["customers"]]
        for customer, texts in zip(customers, shift["customers"], strict=True):
            for text in texts:
                customer.send(text)
        first, second, _ = customers
        agent.open(second.id)
        agent.page.click("#claim")
        agent.owns()
        agent.open(first.id)
        agent.page.click("#claim")
        agent.owns()
        agent.reply(shift["reply"])
        first.send(shift["answer"])
        agent.sees("customer", shift["answer"])
        agent.note(shift["note"])
        agent.open(first.id)
        agent.page.locator("#panel .panel-body").wait_for()
        take(agent.page, f"console-{language}")
        agent.page.emulate_media(color_scheme="dark")
        take(agent.page, f"console-dark-{language}")
        agent.page.emulate_media(color_scheme="light")
        for name, seat in (("tickets", agent), ("supervisor", supervisor)):
            seat.page.goto(f"/console/{name}")
            seat.streaming()
            take(seat.page, f"console-{name}-{language}")
        for customer in customers:
            for act in ("claim", "close"):
                own = headers | {"Idempotency-Key": uuid.uuid4().hex}
                client.post(f"/api/v1/conversations/{customer.id}/{act}", json={"agent": names["agent"]}, headers=own)
        for seat in (agent, supervisor):
            seat.close()
            client.patch(f"/api/v1/agents/{seat.username}", json={"active": False}, headers=headers)


def take(page: Page, name: str) -> None:
    """Into docs/images."""
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file, animations="disabled")
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} kB")


def main(url: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with a_browser() as browser:
        for language, steps in STEPS.items():
            chat(browser, url, language, steps)
            console(browser, url, language, SHIFTS[language])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
