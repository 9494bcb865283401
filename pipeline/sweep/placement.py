"""Which GPU a launcher's worker uses, and how much of its memory; decided before JAX is imported.

By itself a JAX process takes the first GPU and 75 % of its memory at once
(https://docs.jax.dev/en/latest/gpu_memory_allocation.html), so a second one finds none.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.config import ConfigError

log = logging.getLogger(__name__)

_PLACES = ".places"
_DEVICES = Path("/proc/driver/nvidia/gpus")
_visible: dict[Path, str] = {}     # by sweep: this worker's device, which it keeps


def place_worker(sweep_directory: Path, gpu_memory: float | None) -> None:
    """Gives this process one GPU, the next in turn, and as much memory as it needs or is due.

    Args:
        sweep_directory: where workers take turns.
        gpu_memory: share of the GPU's memory to reserve; None: grows as needed.
    """
    if gpu_memory is None:
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    else:
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{gpu_memory:g}"
    devices = visible_devices(os.environ)
    if len(devices) > 1 and sweep_directory not in _visible:
        device = devices[_take_turn(sweep_directory / _PLACES) % len(devices)]
        _visible[sweep_directory] = os.environ["CUDA_VISIBLE_DEVICES"] = device
        log.info("worker %d uses GPU %s", os.getpid(), device)


def visible_devices(environment: Mapping[str, str]) -> list[str]:
    """What CUDA_VISIBLE_DEVICES may name; nothing where there is no GPU."""
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name not in ("", "-1")]
    count = len(list(_DEVICES.iterdir())) if _DEVICES.is_dir() else 0
    return [str(k) for k in range(count)]


def _take_turn(directory: Path) -> int:
    """The first number that no other worker has taken: creating the file takes it."""
    directory.mkdir(exist_ok=True)
    for turn in range(10_000):
        try:
            (directory / str(turn)).touch(exist_ok=False)
        except FileExistsError:
            continue
        return turn
    raise ConfigError(f"{directory}: 10,000 workers have been placed; remove the directory")
