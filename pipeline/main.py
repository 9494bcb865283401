"""The process: `jaxfrost`, `python -m pipeline` and `python run.py` all begin here.

What can be answered without Hydra is answered first, because Hydra alone takes longer to load than
a checkpoint takes to list.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipeline import extras, invocation
from pipeline.clock import Clock
from pipeline.config import tree
from pipeline.inspection import command_line
from pipeline.output import outlive_readers, tell_lost
from pipeline.usage import options_first, usage, version

if TYPE_CHECKING:   # a look at a file should not wait for Hydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig


def main() -> int:
    """Does what `sys.argv` says; returns the process's exit code."""
    outlive_readers()
    invocation.note(sys.argv[0], tree.config_directory(sys.argv[1:]))
    try:
        code = _answer(sys.argv[1:])
        return 1 if tell_lost() and code == 0 else code
    except ModuleNotFoundError as missing:
        told = extras.explain(missing, "this command")
        if told is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        return told.exit_code


def _answer(words: list[str]) -> int:
    if words in (["--help"], ["-h"]):
        print(usage())
        return 0
    if "--version" in words:
        print(version())
        return 0
    request = command_line.parse(words)
    if request is not None:
        return command_line.run(request)
    return _launch(options_first(words))


def _launch(words: list[str]) -> int:
    """What needs Hydra, which takes the command line from `sys.argv`."""
    sys.argv[1:] = words
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra's errors reach us, and we explain them
    import hydra

    from pipeline.sweep import launch
    from pipeline.sweep.process import Process

    application = hydra.main(version_base="1.3", config_path=str(tree.CONF), config_name="config")
    process = Process(invocation.command(words), clock=Clock.of_process())

    def job(composed: DictConfig) -> float:
        """One job: how it ended is recorded and never raised, so that a sweep goes on."""
        from pipeline.start import start  # late: --help should not wait for it

        return start(composed, process)

    def begin() -> None:
        tree.require_own_names(words)
        application(job)()

    return launch(begin, explain, process)


def explain(error: HydraException) -> Exception:
    """What was wrong with a command line that Hydra refused."""
    from pipeline.start import explain

    return explain(error, sys.argv[1:])
