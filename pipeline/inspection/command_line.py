"""The short way from `task=inspect path=…` to an answer.

Hydra and the whole configuration take several times as long to load as a checkpoint takes to list.
A command line that says nothing but plain values of `task`, `path`, `destination`, `field` and
`inspect` means the same without them. Whatever else it says, a mistake included, is left to Hydra.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args, get_type_hints

from pipeline.config.inspection import InspectConfig, MetaGraphField
from pipeline.errors import IntegrityError

# What Hydra's grammar takes as it stands: no quotes, lists, interpolations or sweeps.
_PLAIN = re.compile(r"[\w./+@%*-]+", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_UNSUITABLE = object()


class Request(NamedTuple):
    """What a command line asks to look at, and how."""

    path: str
    destination: str | None
    field: MetaGraphField | None
    options: InspectConfig


def parse(words: Sequence[str]) -> Request | None:
    """What a command line of `run.py` asks for; None where Hydra is needed to know."""
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if len(given) != len(words) or given.pop("task", None) != "inspect" or "path" not in given:
        return None
    kinds = {"path": str, "destination": str | None, "field": MetaGraphField | None,
             **{f"inspect.{name}": kind for name, kind in get_type_hints(InspectConfig).items()}}
    values = {key: _value(kinds.get(key), text) for key, text in given.items()}
    if _UNSUITABLE in values.values():
        return None
    path, destination, field = (values.pop(key, None) for key in ("path", "destination", "field"))
    return Request(path, destination, field, InspectConfig(
        **{key.removeprefix("inspect."): value for key, value in values.items()}))


def _value(kind: Any, text: str) -> Any:
    """The value that Hydra and the schema make of a text, where that is beyond doubt."""
    if kind is bool:
        return _BOOLEANS.get(text, _UNSUITABLE)
    alternatives = get_args(kind) or (kind,)
    literals = [literal for each in alternatives for literal in get_args(each)]
    is_text = str in alternatives and _PLAIN.fullmatch(text) and not _is_typed(text)
    return text if is_text or text in literals else _UNSUITABLE


def _is_typed(text: str) -> bool:
    """Whether Hydra would make something other than a string of it."""
    if text.lower() in ("true", "false", "null"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def run(request: Request) -> int:
    """Looks, and tells what went wrong as every task does; returns the process's exit code."""
    from pipeline.inspection.look import look

    try:
        return 0 if look(*request) else IntegrityError.exit_code
    except ModuleNotFoundError:   # `main` says which extra brings it
        raise
    except (Exception, KeyboardInterrupt) as error:
        from pipeline.gate import guard  # late: it is for what went wrong

        caught = error

    def again() -> None:
        raise caught

    return guard(again)
