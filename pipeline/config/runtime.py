"""The machine's settings, made before JAX is imported, or given to it when it already is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline import budget
from pipeline.config.schema import RuntimeConfig


def cache_directory(runtime: RuntimeConfig) -> Path:
    """The one place outside the run's directory that anything is written to."""
    return Path(runtime.cache_directory).expanduser().resolve()


def apply(runtime: RuntimeConfig) -> None:
    """Sets JAX's flags, through the environment it will read if it is not in the process yet."""
    budget.set_limit(runtime.memory_budget)
    # matplotlib would otherwise keep its list of fonts in a place of its own.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_directory(runtime) / "matplotlib"))
    flags: dict[str, str | bool | int] = {
        "jax_enable_x64": runtime.x64,
        "jax_debug_nans": runtime.debug_nans,
    }
    if runtime.platform != "auto":
        flags["jax_platforms"] = runtime.platform
    if runtime.compilation_cache:
        flags |= {
            "jax_compilation_cache_dir": str(cache_directory(runtime) / "compiled"),
            # JAX keeps only slow compilations by default; ours are many and short.
            "jax_persistent_cache_min_compile_time_secs": 0,
            "jax_persistent_cache_min_entry_size_bytes": -1,
        }
    if "jax" in sys.modules:
        for name, value in flags.items():
            sys.modules["jax"].config.update(name, value)
    else:
        os.environ.update({name.upper(): str(value) for name, value in flags.items()})
