"""Where a user's own examples come from: one file a source, one name of `dataset=` each.

A source's file has `load(config) -> Found`; what it returns is checked and divided elsewhere. To
add one: its file here, its name in `_MODULES`, its dataclass among `pipeline.config.dataset`'s, its
`conf/dataset/NAME.yaml`, its test.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pipeline.data.checking import Found

# By what `dataset.name` says.
_MODULES = {"idx": "idx_files", "npz": "arrays", "folder": "folder", "table": "table",
            "function": "function"}
NAMES = tuple(_MODULES)


def find(name: str) -> Callable[[Any], Found]:
    """What loads the source of that name; its file is imported when it is first asked for."""
    load: Callable[[Any], Found] = import_module(f"{__name__}.{_MODULES[name]}").load
    return load
