"""Train in JAX, persist in TensorFlow's formats: `python run.py --help`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipeline.inspection import command_line
from pipeline.output import outlive_readers
from pipeline.usage import options_first, usage, version

if TYPE_CHECKING:   # a look at a file should not wait for Hydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig

os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra's errors reach us, and we explain them


def job(composed: DictConfig) -> float:
    """One job: how it ended is recorded and never raised, so that a sweep goes on."""
    from pipeline.start import start  # late: --help should not wait for it

    return start(composed)


def explain(error: HydraException) -> Exception:
    """What was wrong with a command line that Hydra refused."""
    from pipeline.start import explain

    return explain(error, sys.argv[1:])


def main() -> int:
    """The process; returns its exit code."""
    outlive_readers()
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(usage())
        return 0
    if "--version" in sys.argv[1:]:
        print(version())
        return 0
    request = command_line.parse(sys.argv[1:])
    if request is not None:
        return command_line.run(request)
    sys.argv[1:] = options_first(sys.argv[1:])
    import hydra

    from pipeline.sweep import launch

    return launch(hydra.main(version_base="1.3", config_path="conf", config_name="config")(job),
                  explain)


if __name__ == "__main__":
    sys.exit(main())
