"""The files that other programs are given, and how they are asked what they make of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from configured import configured
from exported import BATCHES, FORMS, MODELS, Examples, computed, examples, write
from judge import relative_error
from trained_run import WORDS

from pipeline import model, persistence

HERE = Path(__file__).resolve().parent
RUN = "run"     # a whole run of the pipeline: its checkpoint also holds Adam's slots
EXPORTS = [*((name, form) for name in MODELS for form in FORMS),
           *((RUN, form) for form in ("frozen_graph", "checkpoint", "saved_model"))]

Key = tuple[str, str]       # model, form
Arrays = dict[str, Any]


def exports_in(*forms: str) -> list[Key]:
    """What there is in these forms."""
    return [(name, form) for name, form in EXPORTS if form in forms]


class Exports:
    """Every model's files, in one directory each, and those of a run."""

    def __init__(self, directory: Path, run_directory: Path) -> None:
        self.directory, self.run_directory = directory, run_directory
        for name in MODELS:
            write(name, directory / name)
        self._examples = {RUN: self._of_run(), **{name: examples(name) for name in MODELS}}
        for name, found in self._examples.items():
            np.save(directory / f"{name}.npy", found.images)

    def _of_run(self) -> Examples:
        network = model.build(configured(*WORDS).model)
        variables = persistence.load_variables(self.run_directory, network)
        return computed(network, variables, examples("mlp").images)

    def path(self, name: str, form: str) -> Path:
        """What a reader is given."""
        if name != RUN:
            return self.directory / name / FORMS[form]
        [path] = self.run_directory.glob(FORMS[form].replace("-5", "-*"))
        return path

    def examples(self, name: str) -> Examples:
        """Inputs, and what JAX makes of them."""
        return self._examples[name]

    def read(self, program: str, files: Mapping[Key, Path]) -> dict[Key, Arrays]:
        """What a program beside this file found in each file: arrays by `output_batch size`."""
        answers = {key: self.directory / f"{'-'.join(key)}.{program}.npz" for key in files}
        jobs = [[str(path), str(self.directory / f"{key[0]}.npy"), str(answers[key]), BATCHES]
                for key, path in files.items()]
        run_program([str(HERE / program)], jobs)
        return {key: dict(np.load(answer)) for key, answer in answers.items()}

    def check(self, name: str, found: Mapping[str, Any], *outputs: str) -> None:
        """The outputs are there for each batch size, and are what JAX computes."""
        assert set(found) == {f"{output}_{count}" for output in outputs for count in BATCHES}
        for output in outputs:
            for count in BATCHES:
                wanted = getattr(self.examples(name), output)[:count]
                error = relative_error(found[f"{output}_{count}"], wanted)
                assert error < 1e-5, f"{output} of {count} examples: {error}"


def run_program(command: Sequence[str], given: Any) -> str:
    """The output of a Python program that reads JSON."""
    done = subprocess.run([sys.executable, *command], input=json.dumps(given), text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def run_tool(target: str, commands: Sequence[Sequence[object]]) -> list[str]:
    """What each command line of a tool of TensorFlow's printed; see run_commands.py."""
    lines = [[str(argument) for argument in command] for command in commands]
    printed = run_program([str(HERE / "run_commands.py"), target], lines)
    parts = printed.split("=== ")[1:]
    return [part.partition("\n")[2] for part in parts]
