"""A hundred stored scripts from every channel, in every page of the console that shows them: text, and nothing runs."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.dialogue.customer import Customer
from tests.dialogue.vendors import Channels
from tests.e2e import planting
from tests.e2e.console.conftest import new_agent, put_down
from tests.e2e.console.seat import PASSWORD, Seat
from tests.e2e.page import ChatPage
from tests.e2e.payloads import Witness, payloads, squeezed

pytestmark = pytest.mark.xdist_group("console")

TEXTS = list(payloads().values())
#: Parts of a page that are put in by themselves, into a page that is open.
ADD = """
async (paths) => {
  const place = document.createElement("section");
  place.id = "planted";
  document.querySelector("main").append(place);
  htmx.process(place);
  for (const path of paths) {
    const part = document.createElement("div");
    place.append(part);
    await htmx.ajax("GET", path, { target: part, swap: "innerHTML" });
  }
}
"""


class Reader:
    """Opens pages as one agent, in both languages, and keeps what they show."""

    def __init__(self, seat: Seat) -> None:
        self.seat, self.witness, self.text = seat, Witness(seat.page), ""

    def open(self, path: str, *, settled: str = "#main") -> None:
        """A page, folds and all, with the fragments that it fetches by itself."""
        page = self.seat.page
        page.goto(path)
        self.seat.streaming()
        expect(page.locator(settled).first).to_be_attached()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_load_state("load")
        self.look()

    def add(self, paths: list[str]) -> None:
        """Fragments, as htmx puts them in."""
        self.seat.page.evaluate(ADD, paths)
        self.look()

    def look(self) -> None:
        assert self.witness.ran() == []
        self.text += squeezed(str(self.seat.page.evaluate("document.body.textContent")))

    def conversation(self, conversation_id: str) -> None:
        self.open(f"/console/c/{conversation_id}", settled="#panel .panel-body")

    def conversations(self, ids: list[str]) -> None:
        for conversation_id in ids:
            self.conversation(conversation_id)

    def check(self, texts: list[str] = TEXTS) -> None:
        """All of them were on what was opened since the last time, as they were written."""
        missing = [text for text in texts if squeezed(text) not in self.text]
        assert missing == []
        self.text = ""
        self.seat.check()


@pytest.fixture(scope="module")
def admin(channels: Channels, browser: Browser) -> Iterator[Seat]:
    one = Seat(browser, channels.desk.base_url, new_agent(channels, "admin", capacity=50), "zh")
    one.sign_in().at_inbox()
    yield one
    put_down(channels, one)
    one.close()


@pytest.fixture(scope="module")
def reader(admin: Seat) -> Reader:
    return Reader(admin)


@pytest.fixture(scope="module")
def conversation(channels: Channels, admin: Seat) -> str:
    """A conversation of the admin's."""
    made = Customer(channels.client, "en").id
    planting.take(channels, made, admin.username)
    return made


PLANT: dict[str, Callable[[Channels, str], list[str]]] = {
    "web": lambda channels, agent: planting.plant_web(channels, TEXTS, agent),
    "wechat": lambda channels, agent: planting.plant_wechat(channels, TEXTS, agent),
    "wechat place": lambda channels, agent: planting.plant_wechat(channels, TEXTS, agent, "location"),
    "wechat voice": lambda channels, agent: planting.plant_wechat(channels, TEXTS, agent, "voice"),
    "telephone": lambda channels, agent: planting.plant_voice(channels, TEXTS),
}


@pytest.mark.parametrize("channel", PLANT)
def test_what_customers_send(channels: Channels, admin: Seat, reader: Reader, channel: str) -> None:
    made = PLANT[channel](channels, admin.username)
    reader.conversations(made)
    reader.check()
    reader.open("/console")
    reader.open("/console/supervisor")
    reader.seat.check()


def test_tickets(channels: Channels, reader: Reader, conversation: str) -> None:
    numbers = planting.plant_tickets(channels, TEXTS, conversation)
    reader.conversation(conversation)
    reader.add([f"/console/_/tickets/{number}" for number in numbers])
    reader.check()
    reader.open("/console/tickets")
    reader.open(f"/console/tickets/{numbers[0]}")
    reader.seat.check()


def test_notes_and_replies(channels: Channels, admin: Seat, reader: Reader, browser: Browser) -> None:
    """The customer's own page shows an agent's words as text, too, and none of the notes."""
    tab = ChatPage(browser, channels.desk.base_url, "en")
    witness = Witness(tab.page)
    tab.page.reload()
    tab.say("hello", ".")
    own = tab.conversation["id"]
    planting.take(channels, own, admin.username)
    token = channels.send("POST", "/api/v1/agents/login", {"username": admin.username, "password": PASSWORD})["token"]
    planting.plant_replies(channels, TEXTS, own, admin.username)
    planting.plant_notes(channels, TEXTS, own, {"Authorization": f"Bearer {token}"})
    expect(tab.page.locator(".message[data-from=agent]")).to_have_count(len(TEXTS), timeout=60_000)
    witness.check(shown=list(payloads()))
    assert (tab.dialogs, tab.errors) == ([], [])
    tab.close()
    reader.conversation(own)
    notes = reader.seat.page.locator("#lines > .note .text")
    assert squeezed("".join(notes.all_text_contents())) == squeezed("".join(TEXTS))
    for page in ("/console", "/console/supervisor", "/console/audit"):
        reader.open(page)
    reader.check()


def test_names_and_skills(channels: Channels, reader: Reader, conversation: str) -> None:
    """An agent's name is the same wherever it stands: in the list of agents, and where one passes on."""
    names = planting.plant_agents(channels, TEXTS)
    reader.open("/console/admin")
    reader.check([text[:60].strip() for text in TEXTS])
    reader.conversation(conversation)
    reader.check([text[:60].strip() for text in TEXTS])
    for name in names[:3]:
        reader.open(f"/console/admin/agents/{name}")
    reader.seat.check()
    for name in names:
        channels.send("PATCH", f"/api/v1/agents/{name}", {"active": False})


def test_outages(channels: Channels, reader: Reader) -> None:
    places = channels.get("/api/v1/places", q="海棠晓月3栋")["candidates"]
    made = planting.plant_outages(channels, TEXTS, places[0]["chain"]["power"][0]["id"])
    reader.open("/console/outages")
    reader.add([f"/console/_/outages/{one}" for one in made])
    reader.check()
    reader.open(f"/console/outages/{made[0]}")
    reader.seat.check()
    for one in made:
        channels.send("PATCH", f"/api/v1/outages/{one}", {"status": "restored"})


def test_bulletins(channels: Channels, reader: Reader, browser: Browser) -> None:
    """On every page of the console while they hold; and where customers are told them."""
    made = planting.plant_bulletins(channels, TEXTS)
    reader.open("/console", settled="#bulletins li")
    reader.check()
    reader.open("/console/bulletins", settled="#bulletins li")
    reader.check()
    tab = ChatPage(browser, channels.desk.base_url, "en")
    witness = Witness(tab.page)
    tab.page.reload()
    tab.say("hello", ".")
    assert witness.ran() == []
    tab.close()
    for one in made:
        channels.send("POST", f"/api/v1/bulletins/{one}/withdraw", {})
    reader.seat.check()
