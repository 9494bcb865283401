"""What a field of the configuration decides: said once, where the field stands, by a `Role`.

    learning_rate: Annotated[PositiveFloat, Number]

A field without one is `Recipe`; what lies below a field with one has it too. All that asks whether
two configurations are of the same work is answered here, from the roles alone:

| role | is part of `recipe_of` | equal to train together | to resume a run | to resume a sweep |
|---|---|---|---|---|
| Recipe | yes | yes | yes | yes |
| Number, Constant | yes | no | yes | yes |
| Length | yes | yes | no | yes |
| Repetition | no | no | yes | yes |
| Product | no | no | no | yes |
| Circumstance | no | no | no | no |
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from typing import Any

from pipeline.config.location import dataclasses_in, dict_values


class Role(enum.Enum):
    """What a field decides."""

    RECIPE = "what is computed"
    NUMBER = "a number that a compiled program takes as an argument"
    CONSTANT = "a number that is an argument only where runs that differ in it train together"
    LENGTH = "for how long; a run may go on for longer than it was begun for"
    REPETITION = "which of several runs of one recipe"
    PRODUCT = "what is made of the result: artefacts, checks, gates"
    CIRCUMSTANCE = "where and how, not what"


Number, Constant, Length = Role.NUMBER, Role.CONSTANT, Role.LENGTH
Repetition, Product, Circumstance = Role.REPETITION, Role.PRODUCT, Role.CIRCUMSTANCE

_GOES_ON = "auto"    # of `restore`: no beginning of its own, but the same run going on


@dataclass(frozen=True)
class Field:
    """One leaf of a configuration; the keys of mappings are part of its path."""

    path: tuple[str, ...]
    value: Any
    role: Role


def fields_of(config: Any) -> Iterator[Field]:
    """Every leaf below a dataclass, in the order of declaration."""
    yield from _leaves(config, (), Role.RECIPE)


def recipe_of(config: Any) -> dict[str, Any]:
    """What the run computes, as plain data: equal for the same recipe with another seed.

    Defaults are left out, so that keys added to the schema later change nothing.
    """
    found: dict[str, Any] = _chosen(config)
    if found.get("restore") == _GOES_ON:
        del found["restore"]
    return found


def state_recipe_of(section: Any) -> dict[str, Any]:
    """Of a section what both halves of an interrupted run must share, as plain data."""
    roles, free = _roles(type(section)), (Role.LENGTH, Role.PRODUCT, Role.CIRCUMSTANCE)
    return {key: value for key, value in asdict(section).items() if roles[key] not in free}


def program_of(config: Any) -> tuple[Field, ...]:
    """Equal for runs that one compiled program can train: the numbers are taken out.

    Whether there is a number at all still counts. One process reads one data set on one machine,
    so that where they lie counts too.
    """
    unseen = (Role.REPETITION, Role.PRODUCT, Role.CIRCUMSTANCE)
    found = []
    for one in fields_of(config):
        if one.role in (Role.NUMBER, Role.CONSTANT) and one.value is not None:
            found.append(Field(one.path, "a number", one.role))
        elif one.role not in unseen or one.path[0] in ("dataset", "runtime"):
            found.append(one)
    return tuple(found)


def may_train_together(first: Any, second: Any) -> bool:
    """Whether one compiled program can train both."""
    return program_of(first) == program_of(second)


def numbers_of(config: Any, *roles: Role) -> dict[str, float]:
    """By dotted key the numbers that are there, of the given roles; the model's are its own."""
    return {".".join(one.path): one.value for one in fields_of(config)
            if one.role in roles and one.value is not None and one.path[0] != "model"}


def sweep_recipe_of(composed: Mapping[str, Any], root: Any) -> dict[str, Any]:
    """Of a configuration of the type `root`, as plain data, what a sweep may not change halfway."""
    return _bound(composed, "", root)


def _bound(composed: Mapping[str, Any], above: str, root: Any) -> dict[str, Any]:
    kept = {key: _bound(value, f"{above}{key}.", root) if isinstance(value, Mapping) else value
            for key, value in composed.items() if not is_free(f"{above}{key}", root)}
    return {key: value for key, value in kept.items() if value != {} or composed[key] == {}}


def is_free(key: str, root: Any) -> bool:
    """Whether a sweep may be gone on with under another value of this dotted key."""
    head = key.partition(".")[0]
    return head in ("restore", "hydra") or role_of(key, root) is Role.CIRCUMSTANCE


def role_of(key: str, root: type) -> Role:
    """Of a dotted key as it stands on a command line; what is no field is a group, and a recipe."""
    kinds: list[Any] = [root]
    role = Role.RECIPE
    for part in key.partition("@")[0].split("."):
        below: list[Any] = []
        for kind in kinds:
            if not is_dataclass(kind):
                below.append(dict_values(kind))
            elif part in (hints := _hints(kind)):
                role = _roles(kind)[part] if role is Role.RECIPE else role
                below.append(hints[part])
        kinds = [kind for hint in below for kind in (list(dataclasses_in(hint)) or [hint])]
    return role


def _leaves(value: Any, path: tuple[str, ...], role: Role) -> Iterator[Field]:
    if is_dataclass(value):
        for name, own in _roles(type(value)).items():
            yield from _leaves(getattr(value, name), (*path, name),
                               own if role is Role.RECIPE else role)
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)), role)
    else:
        yield Field(path, value, role)


def _chosen(value: Any) -> Any:
    """A configuration as plain data, without defaults and without what is no part of a recipe."""
    if is_dataclass(value):
        left_out = (Role.REPETITION, Role.PRODUCT, Role.CIRCUMSTANCE)
        kept, roles = dict[str, Any](), _roles(type(value))
        for one in fields(value):
            said = getattr(value, one.name)
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            if roles[one.name] in left_out or said == default:
                continue
            inner = _chosen(said)
            if inner != {} or default is not MISSING:   # a section that is always there
                kept[one.name] = inner
        return kept
    if isinstance(value, Mapping):
        return {key: _chosen(inner) for key, inner in value.items()}
    return [_chosen(inner) for inner in value] if isinstance(value, list) else value


def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _roles(kind: Any) -> dict[str, Role]:
    return {name: next((one for one in getattr(hint, "__metadata__", ())
                        if isinstance(one, Role)), Role.RECIPE)
            for name, hint in _hints(kind).items()}
