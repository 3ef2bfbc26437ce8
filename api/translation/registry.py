"""The translators by name. A new one is a module beside this and a line in TRANSLATORS (docs/translation.md)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from api.translation.base import Translator
from api.translation.glossary import glossary

if TYPE_CHECKING:  # settings ask this module which names there are
    from api.settings import Settings

#: Name → how it is made of the desk's settings.
TRANSLATORS: dict[str, Callable[["Settings"], Translator]] = {"glossary": lambda _settings: glossary()}


def translator_of(settings: "Settings") -> Translator:
    """The translator that the settings name. KeyError for an unknown one, which settings refuse."""
    return TRANSLATORS[settings.translator](settings)
