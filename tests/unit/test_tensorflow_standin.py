"""Rasa without TensorFlow, tried with the bot environment's own Python."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOT = ROOT / ".venv-bot" / "bin"
DOMAIN = """
version: "3.1"
intents: [greet, bye]
responses:
  utter_greet: [{text: Hello}]
"""
DATA = """
version: "3.1"
nlu:
- {intent: greet, examples: "- hello\\n- hi there\\n"}
- {intent: bye, examples: "- bye\\n- see you\\n"}
rules:
- {rule: greet, steps: [{intent: greet}, {action: utter_greet}]}
"""
CONFIG = """
recipe: default.v1
assistant_id: tiny
language: en
pipeline: [{name: WhitespaceTokenizer}, {name: CountVectorsFeaturizer}, {name: %s, epochs: 1}]
policies: [{name: RulePolicy}, {name: %s}]
"""


def run(command: str, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0", "TQDM_DISABLE": "1"}
    return subprocess.run(
        [BOT / command, *arguments],
        cwd=cwd,
        env=os.environ | quiet | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def python(code: str, cwd: Path, **env: str) -> str:
    """What the code prints; an uncaught exception fails the test."""
    done = run("python", "-c", code, cwd=cwd, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def train(project: Path, classifier: str, policy: str) -> subprocess.CompletedProcess[str]:
    (project / "data").mkdir()
    (project / "data" / "all.yml").write_text(DATA)
    (project / "domain.yml").write_text(DOMAIN)
    (project / "config.yml").write_text(CONFIG % (classifier, policy))
    return run("rasa", "train", "--fixed-model-name", "tiny", cwd=project)


def test_rasa_trains_a_pipeline_without_tensorflow_components(tmp_path: Path) -> None:
    done = train(tmp_path, "LogisticRegressionClassifier", "MemoizationPolicy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "models" / "tiny.tar.gz").is_file()


@pytest.mark.parametrize(
    ("classifier", "policy", "refused"),
    [
        ("DIETClassifier", "MemoizationPolicy", "DIETClassifier"),
        ("LogisticRegressionClassifier", "TEDPolicy", "TEDPolicy"),
    ],
)
def test_a_tensorflow_component_is_refused_in_one_sentence(
    tmp_path: Path, classifier: str, policy: str, refused: str
) -> None:
    done = train(tmp_path, classifier, policy)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert f"{refused} needs TensorFlow, which is left out of this environment on purpose" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("models/*"))


def test_using_it_raises_an_import_error_that_says_what_to_do(tmp_path: Path) -> None:
    uses = ["tf.constant([1])", "tf.keras.layers.Dense(3)", "Model()", "type('Mine', (Model,), {})()", "K.floatx()"]
    code = (
        "import tensorflow as tf, tensorflow.keras.backend as K\nfrom keras import Model\n"
        f"for use in {uses!r}:\n"
        "    try: eval(use)\n"
        "    except ImportError as e: print(e)\n"
    )
    said = python(code, tmp_path).splitlines()
    assert len(said) == len(uses)
    assert all("left out of this environment on purpose: use the components in bot/nlu" in line for line in said)
    assert said[1].startswith("tensorflow.keras.layers.Dense needs")


def test_its_classes_can_be_subclassed_and_named_in_annotations(tmp_path: Path) -> None:
    code = (
        "import abc, tensorflow as tf\nfrom typing import Optional, Union, List, get_type_hints\n"
        "from tensorflow.types.experimental import TensorLike\n"
        "class Layer(tf.keras.layers.Layer, abc.ABC):\n    size = 3\n"
        "def f(x: Optional[TensorLike], y: List[Union[tf.Tensor, int]]) -> Layer: ...\n"
        "get_type_hints(f); print(Layer.size, isinstance(3, tf.Tensor), tf.Tensor is tf.Tensor)\n"
    )
    assert python(code, tmp_path) == "3 False True"


def test_it_keeps_out_of_the_way_of_a_real_tensorflow(tmp_path: Path) -> None:
    package = tmp_path / "real" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("REAL = True\n")
    code = (
        "import importlib, tensorflow\nprint(tensorflow.REAL, hasattr(tensorflow, 'keras'))\n"
        "for name in ('tensorflow.keras', 'tensorflow_hub', 'keras'):\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as e: print(e)\n"
        "import importlib.util as u; print(type(u.find_spec('rasa.engine.validation').loader).__name__)\n"
    )
    assert python(code, tmp_path, PYTHONPATH=str(package.parent)).splitlines() == [
        "True False",
        "No module named 'tensorflow.keras'",
        "No module named 'tensorflow_hub'",
        "No module named 'keras'",
        "SourceFileLoader",
    ]


def test_other_missing_modules_stay_missing(tmp_path: Path) -> None:
    code = "import importlib.util as u; print(u.find_spec('tensorboard'), u.find_spec('torch'))"
    assert python(code, tmp_path) == "None None"
