"""Where Hydra's mapping becomes dataclasses, or is refused by key, value and nearest valid key."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.location import all_dataclasses, keys_of, valid_keys
from pipeline.config.persistence import TargetConfig
from pipeline.config.schema import Config

Options = TypeVar("Options")


def load(composed: Mapping[str, Any], options: Callable[..., Options]) -> Options:
    """The checked configuration of a task.

    Args:
        composed: plain nested dicts and lists, all interpolations resolved.
        options: the dataclass of all keys that the task takes.

    Raises:
        ConfigError: lists every key that is unknown, missing, or of a wrong type or range.
    """
    try:
        config: Options = _adapter(options).validate_python(dict(composed))
    except ValidationError as error:
        lines = [_describe(detail, composed, options) for detail in error.errors()]
        raise ConfigError("\n".join(lines)) from None
    _refuse_booleans(composed, config, "")
    if isinstance(config, Config):
        _check_across_groups(config)
    _refuse_shared_paths(getattr(config, "persistence", {}))
    return config


@cache
def _adapter(options: Any) -> TypeAdapter[Any]:
    for dataclass in all_dataclasses(options):
        # Unknown keys are refused everywhere: Hydra lets `+typo=1` through, we don't.
        dataclass.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)
    return TypeAdapter(options)


def _describe(detail: ErrorDetails, composed: Mapping[str, Any], options: Any) -> str:
    path = tuple(part for part in detail["loc"] if part != "[key]")  # pydantic: it is the key
    location = keys_of(path, composed)
    key, found = ".".join(location), detail["input"]
    if path != detail["loc"]:
        return f"{key}: '{found}' is no name; {_lower(detail['msg'])}"
    if detail["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        valid = valid_keys(location[:-1], composed, options)
        return f"{key}: unknown key{nearest(location[-1], valid)}"
    if detail["type"] == "missing":
        return f"{key}: is required and was not given"
    if detail["type"] == "union_tag_not_found":
        return f"{key}: needs a {detail['ctx']['discriminator']} that says what it is"
    if detail["type"] == "union_tag_invalid":
        tag = detail["ctx"]["discriminator"].strip("'")
        known = detail["ctx"]["expected_tags"].replace("'", "").split(", ")
        return f"{key}.{tag}={found[tag]}: there is no such choice{nearest(str(found[tag]), known)}"
    if isinstance(found, Mapping):
        return f"{key}: {_lower(detail['msg'])}"
    return f"{key}={found}: {_lower(detail['msg'])}"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _refuse_booleans(given: Any, made: Any, key: str) -> None:
    """To pydantic `true` is the number 1; to the owner of a configuration it is a slip."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            inner = made[name] if isinstance(made, Mapping) else getattr(made, name)
            _refuse_booleans(value, inner, f"{key}.{name}" if key else str(name))
    elif isinstance(given, list):
        for position, (value, inner) in enumerate(zip(given, made, strict=True)):
            _refuse_booleans(value, inner, f"{key}.{position}")
    elif isinstance(given, bool) and not isinstance(made, bool):
        raise ConfigError(f"{key}={given}: input should be a number, not true or false")


def _check_across_groups(config: Config) -> None:
    trainer = config.trainer
    if (trainer.epochs is None) == (trainer.steps is None):
        raise ConfigError(
            f"trainer.epochs={trainer.epochs} and trainer.steps={trainer.steps}: exactly one of "
            "the two says how long to train; set the other to null"
        )
    if trainer.loss is not None and trainer.label_smoothing:
        raise ConfigError(
            f"trainer.label_smoothing={trainer.label_smoothing}: is of the cross-entropy, and "
            f"trainer.loss={trainer.loss} takes its place; set one of the two to its default"
        )


def _refuse_shared_paths(targets: Mapping[str, TargetConfig]) -> None:
    """Of two targets that write the same file, the second would overwrite the first."""
    owners: dict[tuple[str, str, str], str] = {}
    for name, target in targets.items():
        for key in {"directory", "prefix", "file"} & set(vars(target)):
            path = os.path.normpath(vars(target)[key])
            owner = owners.setdefault((target.kind, key, path), name)
            if owner != name:
                raise ConfigError(
                    f"persistence.{name}.{key}={path}: persistence.{owner} writes there already; "
                    "give each its own"
                )
