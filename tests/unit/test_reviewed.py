"""api.learning.reviewed: the files that reviewed examples go to, and what of them is fit for training."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from api.learning import reviewed
from api.learning.reviewed import FileBroken, add, read, sound, taught

ROOT = Path(__file__).parents[2]
DOMAIN = "intents:\n- report_outage\n- no_water\n- greet\n- nlu_fallback\n"
TAUGHT = """version: "3.1"

nlu:
- intent: report_outage
  examples: |
    - 停电了
- intent: greet
  examples: |
    - Hello
"""
MIXED = """nlu:
- intent: report_outage
  examples: |
    - 全屋都黑了
    - 停电了
    - [屋](place)黑了
    - Hello!
    -
- intent: sing
  examples: |
    - 唱歌
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with three intents and two examples."""
    (tmp_path / "root" / "bot" / "data" / "nlu" / "zh").mkdir(parents=True)
    (tmp_path / "root" / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    (tmp_path / "root" / "bot" / "data" / "nlu" / "zh" / "x.yml").write_text(TAUGHT, encoding="utf-8")
    return tmp_path / "root"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_an_example_is_written_once_in_rasa_s_format(home: Path) -> None:
    assert add(home, "zh", "report_outage", "我家黑灯瞎火")
    assert add(home, "zh", "no_water", "龙头: 一滴 # 都没有 'x' \"y\" & *z !")
    assert not add(home, "zh", "report_outage", "我家黑灯瞎火。")
    file = home / "reviewed" / "zh.yml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert data["version"] == "3.1"
    assert [(block["intent"], block["examples"]) for block in data["nlu"]] == [
        ("no_water", "- 龙头: 一滴 # 都没有 'x' \"y\" & *z !\n"),
        ("report_outage", "- 我家黑灯瞎火\n"),
    ]
    assert sorted(path.name for path in file.parent.iterdir()) == [".lock", "zh.yml"]


def test_a_wording_stands_under_its_latest_intent_alone(home: Path) -> None:
    add(home, "en", "report_outage", "dead as a doornail")
    add(home, "en", "no_water", "Dead as a doornail!")
    assert read(home / "reviewed" / "en.yml") == {"no_water": ["Dead as a doornail!"]}


def test_several_processes_lose_nothing(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from api.learning.reviewed import add\n"
        "for n in range(20): add(Path(sys.argv[1]), 'en', 'greet', f'hi {sys.argv[2]} {n}')"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(home), name], cwd=ROOT) for name in ("a", "b", "c")
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len(read(home / "reviewed" / "en.yml")["greet"]) == 60


def test_what_is_not_sound_is_left_out_and_named(root: Path, home: Path) -> None:
    (home / "reviewed").mkdir(parents=True)
    (home / "reviewed" / "zh.yml").write_text(MIXED, encoding="utf-8")
    (home / "reviewed" / "en.yml").write_text("nlu: [", encoding="utf-8")
    fit, faults = sound(home, root)
    assert fit == {"zh": {"report_outage": ["全屋都黑了"]}}
    assert len(faults) == 5
    for number, part in enumerate(("[屋](place)", "example of greet", "not plain text", "no intent 'sing'", "en.yml")):
        assert part in faults[number], faults


def test_without_reviewed_examples_nothing_is_read(tmp_path: Path) -> None:
    assert sound(tmp_path / "home", tmp_path / "nowhere") == ({}, [])


def test_a_broken_file_is_not_written_over(home: Path) -> None:
    (home / "reviewed").mkdir(parents=True)
    (home / "reviewed" / "zh.yml").write_text("- what is this", encoding="utf-8")
    with pytest.raises(FileBroken, match=r"zh\.yml"):
        add(home, "zh", "greet", "你好呀")
    assert (home / "reviewed" / "zh.yml").read_text(encoding="utf-8") == "- what is this"


def test_what_the_bot_is_delivered_with_is_known() -> None:
    known = taught()
    assert known["停电了"] == "report_outage"
    assert len(known) > 15_000
    assert set(known.values()) == set(reviewed.intents())
