"""Where in a configuration a complaint belongs, and what would have been valid there."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

_TAGS = ("kind", "name")    # which of several dataclasses is meant


def dataclasses_in(annotation: Any) -> Iterator[Any]:
    """The dataclasses that an annotation names itself, through unions and `Annotated`."""
    if dataclasses.is_dataclass(annotation):
        yield annotation
    elif typing.get_origin(annotation) is Annotated:
        yield from dataclasses_in(typing.get_args(annotation)[0])
    elif typing.get_origin(annotation) is not dict:
        for part in typing.get_args(annotation):
            yield from dataclasses_in(part)


def all_dataclasses(root: Any) -> set[Any]:
    """Every dataclass that a configuration of type `root` may hold, at any depth."""
    found: set[Any] = set()
    pending = [root]
    while pending:
        for kind in dataclasses_in(pending.pop()):
            if kind not in found:
                found.add(kind)
                hints = typing.get_type_hints(kind, include_extras=True).values()
                pending.extend(hints)
                pending.extend(dict_values(hint) for hint in hints)
    return found


def keys_of(location: tuple[int | str, ...], composed: Mapping[str, Any]) -> list[str]:
    """A path as the user writes it: pydantic adds the names of union members, which we drop."""
    keys: list[str] = []
    here: Any = composed
    for position, part in enumerate(location):
        inside = isinstance(here, Mapping) and part in here
        last = position == len(location) - 1 and isinstance(here, Mapping)
        if inside or last or isinstance(part, int):
            keys.append(str(part))
            here = here[part] if inside else None
    return keys


def valid_keys(parents: list[str], composed: Mapping[str, Any], root: Any) -> list[str]:
    """The keys that may stand under `parents` in a configuration of type `root`."""
    annotation: Any = root
    here: Any = composed
    for part in parents:
        value_type = dict_values(annotation)
        if value_type is None:
            kind = _described_by(annotation, here)
            hints = typing.get_type_hints(kind, include_extras=True) if kind else {}
            value_type = hints.get(part)
        annotation, here = value_type, here[part]
    kind = _described_by(annotation, here)
    return [field.name for field in dataclasses.fields(kind)] if kind else []


def dict_values(annotation: Any) -> Any:
    """The type of a dict's values, or None where the annotation is not a dict."""
    if typing.get_origin(annotation) is Annotated:
        return dict_values(typing.get_args(annotation)[0])
    return typing.get_args(annotation)[1] if typing.get_origin(annotation) is dict else None


def _described_by(annotation: Any, value: Any) -> Any:
    """The dataclass among an annotation's that describes `value`, by its tag if it has one."""
    candidates = list(dataclasses_in(annotation))
    for candidate in candidates if len(candidates) > 1 else []:
        hints = typing.get_type_hints(candidate)
        if all(_may_be(hints.get(tag), value, tag) for tag in _TAGS):
            return candidate
    return candidates[0] if len(candidates) == 1 else None


def _may_be(hint: Any, value: Any, tag: str) -> bool:
    tags = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    said = value.get(tag) if isinstance(value, Mapping) else None
    return not tags or said is None or said in tags
