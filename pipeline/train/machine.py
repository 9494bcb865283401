"""On what the bits of a training depend besides its recipe.

XLA cuts sums into as many pieces as it has threads, one for each core that the process may use, and
compiles for the processor or device at hand: floats added in another order give other last bits.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

_PROCESSORS = Path("/proc/cpuinfo")


def usable_cores() -> int:
    """The cores that this process may use: its affinity, where the system knows of one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_machine() -> dict[str, Any]:
    """Cores, processor, device, and the version of XLA: with all of them equal, so are the bits."""
    return {"cores": usable_cores(), "processor": _processor(),
            "device": jax.devices()[0].device_kind, "jaxlib": metadata.version("jaxlib")}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In words, what another machine had otherwise; empty when the bits are the same."""
    return ", ".join(f"{name} {then[name]} then, {now[name]} now" for name in now
                     if name in then and then[name] != now[name])


def _processor() -> str:
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
