"""Train in JAX, persist in TensorFlow's formats: `python run.py --help`."""

import os
import sys

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from pipeline.sweep import launch

os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra's errors reach us, and we explain them


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def job(composed: DictConfig) -> float:
    """One job: how it ended is recorded and never raised, so that a sweep goes on."""
    from pipeline.start import start  # late: --help should not wait for it

    return start(composed)


def explain(error: HydraException) -> Exception:
    """What was wrong with a command line that Hydra refused."""
    from pipeline.start import explain

    return explain(error, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(launch(job, explain))
