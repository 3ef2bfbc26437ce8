"""Reads articles and replies from YAML; what is wrong with a file is told with its name and line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from api.knowledge.model import Article, Reply
from api.knowledge.search import Indexed, Kind, indexed

SHIPPED = Path(__file__).parent
#: libyaml's parser is ten times as fast; the other one stands in where it was not built.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Entry = TypeVar("Entry", bound=BaseModel)


class KnowledgeError(Exception):
    """Files that cannot be used; one fault a line, each `file:line: field: reason`."""


class ReplyFile(BaseModel, extra="forbid"):
    """A file of canned replies."""

    replies: list[Reply]


@dataclass(frozen=True)
class Mark:
    """That an entry was changed at the desk: which version it is, by whom (Caller.name).

    `outdated`: the text in the files has changed since.
    """

    version: int
    act: str
    by: str
    at: datetime
    outdated: bool


@dataclass(frozen=True)
class Knowledge:
    """All articles and replies of a desk, in their order, and the ids of those that are its own.

    `retired`: replies that are not offered any more; `marks`, by kind and id: what was changed at the desk.
    """

    articles: tuple[Article, ...]
    replies: tuple[Reply, ...]
    own: frozenset[str] = frozenset()
    retired: tuple[Reply, ...] = ()
    marks: Mapping[tuple[str, str], Mark] = field(default_factory=dict)

    @cached_property
    def index(self) -> tuple[Indexed, ...]:
        """What `find` searches."""
        return indexed(self.articles, self.replies)

    def version(self, kind: Kind, entry_id: str) -> int:
        """The version of an entry; 0 where nobody changed it."""
        mark = self.marks.get((kind, entry_id))
        return mark.version if mark else 0


@lru_cache(maxsize=8)
def load(home: Path | None = None) -> Knowledge:
    """What is shipped, overridden and completed by `<home>/articles/*.yml` and `<home>/replies.yml`.

    Read once in a process. Raises KnowledgeError.
    """
    if home is None:
        return _read(SHIPPED)
    shipped, own = load(), _read(home)
    articles = {article.id: article for article in (*shipped.articles, *own.articles)}
    replies = {reply.id: reply for reply in (*shipped.replies, *own.replies)}
    faults = [
        f"{home / 'replies.yml'}: {reply.id}: the key {reply.key} belongs to {other.id}"
        for reply in own.replies
        for other in replies.values()
        if other.key == reply.key and other.id != reply.id
    ]
    _refuse(faults)
    ids = frozenset([*(article.id for article in own.articles), *(reply.id for reply in own.replies)])
    return Knowledge(tuple(articles.values()), tuple(replies.values()), ids)


def _read(folder: Path) -> Knowledge:
    faults: list[str] = []
    articles: list[Article] = []
    for path in sorted((folder / "articles").glob("*.yml")):
        article = _parse(path, Article, faults)
        if article is not None and article.id != path.stem:
            faults.append(f"{path}:1: id: names itself {article.id}, which is not the file's name")
        articles += [article] if article is not None else []
    path = folder / "replies.yml"
    file = _parse(path, ReplyFile, faults) if path.is_file() else None
    replies = file.replies if file else []
    for name in ("id", "key"):
        values = [getattr(reply, name) for reply in replies]
        faults += [f"{path}: {name}: {v} occurs twice" for v in dict.fromkeys(values) if values.count(v) > 1]
    _refuse(faults)
    return Knowledge(tuple(articles), tuple(replies))


def _refuse(faults: list[str]) -> None:
    if faults:
        raise KnowledgeError("\n".join(faults))


def _parse(path: Path, model: type[Entry], faults: list[str]) -> Entry | None:
    """The file as a model, or None with its faults added."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        doubles = list(_doubles(node))
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except UnicodeDecodeError:
        faults.append(f"{path}: not UTF-8")
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        faults.append(f"{path}:{mark.line + 1 if mark else 1}: {error.problem or 'not YAML'}")
        return None
    except (yaml.YAMLError, ValueError) as error:  # a character, or a date, that cannot be
        faults.append(f"{path}: {str(error).splitlines()[0]}")
        return None
    faults += [f"{path}:{line}: {key}: occurs twice" for key, line in doubles]
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            field = ".".join(map(str, problem["loc"]))
            reason = problem["msg"].removeprefix("Value error, ")
            faults.append(f"{path}:{_line(node, problem['loc'])}: {field + ': ' if field else ''}{reason}")
        return None


def _line(node: yaml.Node | None, where: tuple[int | str, ...]) -> int:
    """The line of what is at this path, or of the nearest thing around it that exists."""
    line = 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _doubles(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that stand twice in one mapping, of which YAML would silently take the last."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _doubles(item)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key.value, key.start_mark.line + 1
                seen.add(key.value)
            yield from _doubles(value)
