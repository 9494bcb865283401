"""The tasks about files: look into one, plan a restore, convert one. No run directory is made.

`command_line` is the short way to `look`, which tells what a file holds; `graph_files` reads graphs
of every form, `graph_text` and `graph_page` tell of them, `arrays` reads orbax steps; `tasks` are
the entries by configuration. Each is imported when it is needed: a look should not wait.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.inspection.tasks import convert as convert
    from pipeline.inspection.tasks import inspect as inspect
    from pipeline.inspection.tasks import restore_plan as restore_plan

_TASKS = ("convert", "inspect", "restore_plan")


def __getattr__(name: str) -> Any:
    if name not in _TASKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.tasks"), name)
