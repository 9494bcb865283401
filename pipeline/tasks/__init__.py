"""What `task=` may be: one file a task, which holds its options and what it does.

A task's module has `Options`, the dataclass of all top-level keys of the configuration that the
task takes, and `run`. What a task needs beyond its options it imports when it runs: options are
checked before JAX is loaded.

`run(options, context)` of a task that only looks returns an `ExitCode`. Of a task that makes runs,
whose options are a `RunConfig`, it makes one and returns its `RunResult`; sweeps, seeds and
resuming are given to it by `sweep`. One that can train several runs as one program has
`run_together` besides.

To add a task: its module here, its name in `_MODULES`, `conf/task/NAME.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from pipeline.config.errors import ConfigError, nearest

_MODULES = ("train", "evaluate", "export", "inspect", "restore_plan", "convert", "predict", "serve",
            "gate", "compare")
NAMES: Sequence[str] = _MODULES

# Of the configuration's top level, what every task may be given.
_FOR_ALL = ("task", "hydra", "experiment")


def find(name: str) -> ModuleType:
    """The module of the task that `task=` names.

    Raises:
        ConfigError: there is no such task.
    """
    if name not in _MODULES:
        raise ConfigError(f"task={name}: no such task{nearest(name, _MODULES)}")
    return import_module(f"{__name__}.{name}")


def options_of(name: str) -> tuple[str, ...]:
    """The top-level keys that a task takes."""
    return tuple(one.name for one in fields(find(name).Options))


def part_of(name: str, composed: Mapping[str, Any]) -> dict[str, Any]:
    """Of a whole configuration what a task takes, and what none does, for the border to refuse."""
    taken = options_of(name)
    return {key: value for key, value in composed.items()
            if key in taken or (key not in _FOR_ALL and not that_take(key))}


def makes_runs(name: str) -> bool:
    """Whether a task leaves runs, each in a directory of its own."""
    from pipeline.config.schema import RunConfig

    return issubclass(cast(type, find(name).Options), RunConfig)


def that_take(key: str) -> list[str]:
    """The names of the tasks that take a top-level key."""
    return [name for name in _MODULES if key in options_of(name)]


def refuse_others(name: str, overrides: Iterable[str]) -> None:
    """Refuses a command line that gives a task what it does not take.

    Args:
        name: of the task.
        overrides: as typed, without Hydra's own.

    Raises:
        ConfigError: names every such key, and the tasks that do take it.
    """
    taken = {*options_of(name), *_FOR_ALL}
    given = dict.fromkeys(_key(one) for one in overrides)
    others = {key: that_take(key.partition(".")[0]) for key in given
              if key.partition(".")[0] not in taken}
    complaints = [f"{key}: task={name} does not take it; {_who(tasks)}"
                  for key, tasks in others.items() if tasks]
    if complaints:
        raise ConfigError("\n".join(complaints))


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def _who(tasks: Sequence[str]) -> str:
    named = [f"task={task}" for task in tasks]
    return f"{' and '.join([', '.join(named[:-1]), named[-1]] if len(named) > 1 else named)} " + (
        "do" if len(named) > 1 else "does")
