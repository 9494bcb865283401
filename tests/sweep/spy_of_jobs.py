"""A Hydra callback that writes down, in each job's directory, what its process had."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

SEEN = "seen.json"
_KEYS = ("CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION")


class Spy(Callback):
    """`+hydra.callbacks.spy._target_=spy_of_jobs.Spy`, with this directory in PYTHONPATH."""

    def on_job_end(self, config: DictConfig, **_: Any) -> None:
        directory = Path(config.hydra.runtime.output_dir)
        seen = {"process": os.getpid(), **{key: os.environ.get(key) for key in _KEYS}}
        (directory / SEEN).write_text(json.dumps(seen))
