"""The machine's settings, made before JAX is imported, or given to it when it already is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline import budget
from pipeline.config.errors import ConfigError
from pipeline.config.schema import RuntimeConfig


def cache_directory(runtime: RuntimeConfig) -> Path:
    """The one place outside the run's directory that anything is written to."""
    return Path(runtime.cache_directory).expanduser().resolve()


def apply(runtime: RuntimeConfig) -> None:
    """Sets JAX's flags, through the environment it will read if it is not in the process yet.

    Raises:
        ConfigError: a GPU is asked for, and JAX finds none.
    """
    if runtime.platform in ("cuda", "gpu"):
        _require_gpu(runtime.platform)
    budget.set_limit(runtime.memory_budget)
    # matplotlib would otherwise keep its list of fonts in a place of its own.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_directory(runtime) / "matplotlib"))
    flags: dict[str, str | bool | int] = {
        "jax_enable_x64": runtime.x64,
        "jax_debug_nans": runtime.debug_nans,
    }
    if runtime.platform in ("cpu", "cuda"):
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


def _require_gpu(platform: str) -> None:
    """Told at once, in a line; JAX itself fails an assertion, or names a backend unasked for."""
    import jax

    wanted = os.environ.pop("JAX_PLATFORMS", None)
    jax.config.update("jax_platforms", None)
    try:
        jax.devices(platform)
    except RuntimeError:
        found = ", ".join(sorted({str(device) for device in jax.devices()}))
        raise ConfigError(
            f"runtime.platform={platform}: JAX finds no such device here, only {found}; install "
            "JAX for it (such as jax[cuda12]) and its driver, or set runtime.platform=auto"
        ) from None
    finally:
        if wanted is not None:
            os.environ["JAX_PLATFORMS"] = wanted
