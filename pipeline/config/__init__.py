"""The border between `conf/` and the code: below it there are only these dataclasses.

`schema` declares what a configuration holds, `model` what a model's scopes hold, `border` turns
Hydra's mapping into them or refuses it by name, and `runtime` sets JAX's flags before JAX is
imported.

What needs pydantic is imported when it is first used: a look at a file does without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.config.errors import ConfigError as ConfigError

if TYPE_CHECKING:
    from pipeline.config.border import load as load
    from pipeline.config.model import ModelConfig as ModelConfig
    from pipeline.config.schema import Config as Config

_LATER = {"load": "border", "ModelConfig": "model", "Config": "schema"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
