"""Train in JAX, persist in TensorFlow's formats: `python run.py --help`."""

import os
import sys
import uuid

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from pipeline.gate import ExitCode, guard

_RUN = uuid.uuid4().hex[:6]
_ENDED: list[ExitCode] = []

os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra's errors reach us, and we explain them
OmegaConf.register_new_resolver("unique", lambda: _RUN, replace=True)


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def job(composed: DictConfig) -> None:
    """One job: its end is recorded and never raised, so that a sweep goes on."""
    from pipeline.start import start  # late: --help should not wait for it

    _ENDED.append(guard(lambda: start(composed)))


def compose_and_run() -> None:
    """Hydra's part, with its complaints explained."""
    try:
        job()
    except HydraException as error:
        from pipeline.start import explain

        raise explain(error, sys.argv[1:]) from None


if __name__ == "__main__":
    sys.exit(max([guard(compose_and_run), *_ENDED]))
