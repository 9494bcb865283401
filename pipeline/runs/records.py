"""The records of runs and sweeps, as files that may be damaged or made to do harm.

Whatever is in a file, it comes to a value of the schema or to a `RecordError`: its size and depth
are bounded, YAML may name nothing twice (an alias of aliases grows without end), numbers are
finite, texts can be written again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import yaml
from pydantic import AfterValidator, TypeAdapter, ValidationError

from pipeline.errors import IntegrityError
from pipeline.reading import open_file

T = TypeVar("T")

_MOST_JSON = 64 * 2**20     # bytes: a manifest of a million files
_MOST_YAML = 2**20          # bytes: the largest configuration takes some kilobytes
_DEEPEST = 64               # the deepest of ours: a scope in a scope in a scope
_SHOWN = 3                  # complaints that are told


class RecordError(IntegrityError):
    """A record is not what a run or a sweep writes."""


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("is not a path")
    return text


# Where it leads is asked where it is used (`config.enclosure`).
PathText = Annotated[str, AfterValidator(_path)]


def read_json(path: Path, schema: type[T], remedy: str) -> T:
    """A record in JSON.

    Args:
        path: the file.
        schema: a dataclass, or any type that pydantic knows.
        remedy: what to do when it is damaged.

    Raises:
        FileNotFoundError: there is none.
        RecordError: it is too large, too deep, not JSON, or not of the schema.
    """
    text = _text(path, _MOST_JSON, remedy)
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _damaged(path, f"is not JSON ({_first_line(error)})", remedy)
    made: T = _checked(path, content, text, schema, remedy)
    return made


def read_yaml(path: Path, schema: Any, remedy: str) -> Any:
    """A record in YAML; as `read_json`."""
    text = _text(path, _MOST_YAML, remedy)
    try:
        content = yaml.load(text, Loader=_PlainLoader)
        as_json = json.dumps(content, default=str)   # a date is the text that it was
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError, RecursionError
            ) as error:
        _damaged(path, f"is not YAML of ours ({_first_line(error)})", remedy)
    return _checked(path, content, as_json, schema, remedy)


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Without aliases, and not deeper than our own files are."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias, which no record has")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.YAMLError(f"nested more than {_DEEPEST} deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _text(path: Path, most: int, remedy: str) -> str:
    try:
        with open_file(path) as file:
            content = file.read(most + 1)
        text = content.decode()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        _damaged(path, f"cannot be read ({_first_line(error)})", remedy)
    if len(content) > most:
        _damaged(path, f"is larger than {most:,} bytes", remedy)
    return text


def _checked(path: Path, content: Any, text: str, schema: Any, remedy: str) -> Any:
    """By pydantic, strictly: what JSON calls a number is no text, and `true` is no number."""
    _require_plain(path, content, remedy)
    try:
        return TypeAdapter(schema).validate_json(text, strict=True)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the record'}: {one['msg'][:1].lower()}"
            f"{one['msg'][1:]}, found {str(one['input'])[:40]!r}"
            for one in error.errors(include_url=False)[:_SHOWN])
        _damaged(path, f"is not what was written ({said})", remedy)


def _require_plain(path: Path, content: Any, remedy: str) -> None:
    """Refuses depth, texts with half of a surrogate pair, and integers that no float holds."""
    pending = [(content, 1)]
    while pending:
        value, depth = pending.pop()
        if depth > _DEEPEST:
            _damaged(path, f"is nested more than {_DEEPEST} deep", remedy)
        if isinstance(value, Mapping):
            pending += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list | tuple | set):
            pending += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str) and not _is_text(value):
            _damaged(path, f"holds a text that is not Unicode ({value[:40]!r})", remedy)
        elif isinstance(value, int | float) and not -1e300 < value < 1e300:
            _damaged(path, "holds a number that is not finite", remedy)


def _is_text(value: str) -> bool:
    try:
        return bool(value.encode()) or True
    except UnicodeEncodeError:
        return False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _damaged(path: Path, why: str, remedy: str) -> NoReturn:
    raise RecordError(f"{path}: {why}; {remedy}") from None
