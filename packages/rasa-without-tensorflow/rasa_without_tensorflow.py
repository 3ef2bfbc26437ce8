"""Answers for TensorFlow's modules in an environment that leaves TensorFlow out.

Rasa 3.6 imports TensorFlow even when no component of the pipeline uses it, because its modules subclass TensorFlow's
classes. Here those imports get empty classes, which can be subclassed and named in annotations. A pipeline with a
component built on them is refused before training; calling one of them raises `TensorFlowLeftOut`.

Loaded at interpreter start by `rasa_without_tensorflow.pth`; does nothing where TensorFlow itself is installed.
"""

import abc
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

STOOD_IN_FOR = frozenset(
    {"keras", "tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_io_gcs_filesystem", "tensorflow_text"}
)
VALIDATION = "rasa.engine.validation"
WHY = (
    "{what} needs TensorFlow, which is left out of this environment on purpose: "
    "use the components in bot/nlu with RulePolicy and MemoizationPolicy instead (see config.yml)."
)


class TensorFlowLeftOut(ImportError):
    """Something that only TensorFlow can do was asked for. An ImportError, as optional imports expect it."""

    def __init__(self, what: str) -> None:
        super().__init__(WHY.format(what=what))


class _EmptyMeta(abc.ABCMeta):
    """Any attribute of an empty class is another empty class; none can be instantiated, nor can a subclass."""

    def __getattr__(cls, name: str) -> Any:
        return _empty(f"{cls.__module__}.{cls.__qualname__}", name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TensorFlowLeftOut(f"{cls.__module__}.{cls.__qualname__}")


def _empty(owner: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"{owner} has no attribute {name}: it stands in for TensorFlow")
    return _EmptyMeta(name, (), {"__module__": owner})


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        value = _empty(self.__name__, name)
        setattr(self, name, value)
        return value


class _StandInLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _StandInFinder(MetaPathFinder):
    """Last in line, so that anything really installed is found first."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent, _, _ = fullname.rpartition(".")
        if parent:
            answers = isinstance(sys.modules.get(parent), _StandIn)
        else:
            answers = fullname in STOOD_IN_FOR and PathFinder.find_spec("tensorflow") is None
        return ModuleSpec(fullname, _StandInLoader(), is_package=True) if answers else None


class _ValidationFinder(MetaPathFinder):
    """Lets Rasa's own check of required packages name the components that cannot work here, before any training."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != VALIDATION or PathFinder.find_spec("tensorflow") is not None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ValidationLoader(spec.loader)
        return spec


class _ValidationLoader(Loader):
    def __init__(self, original: Any) -> None:
        self._original = original

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._original.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        self._original.exec_module(module)
        checks_packages: Callable[[Any], None] = module._validate_required_packages

        def refuse_tensorflow(node: Any) -> None:
            if _built_on_tensorflow(node.uses):
                from rasa.shared.exceptions import InvalidConfigException  # the command prints these in one line

                raise InvalidConfigException(WHY.format(what=node.uses.__name__))
            checks_packages(node)

        module._validate_required_packages = refuse_tensorflow  # type: ignore[attr-defined]


def _built_on_tensorflow(component: type) -> bool:
    modules = (sys.modules.get(base.__module__) for base in component.__mro__)
    return any(isinstance(value, _StandIn) for module in modules for value in vars(module or sys).values())


def install() -> None:
    """Register the stand-in with the import system; a second call changes nothing."""
    if not any(isinstance(finder, _StandInFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ValidationFinder())
        sys.meta_path.append(_StandInFinder())


install()
