"""Test accuracy of whole recipes on real MNIST, by seed; each run is a `python run.py`.

    python benchmarks/accuracy.py --directory DIR                # experiment=book, seeds 0, 1, 2
    python benchmarks/accuracy.py --directory DIR --experiment cnn --seeds 0 1
    python benchmarks/accuracy.py --directory DIR --experiment best --seeds 0 --output outputs/best

A run that is already in --output is read and not repeated, so that a long series can be continued.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]


def train(experiment: str, seed: int, given: argparse.Namespace, output: Path) -> dict[str, Any]:
    """The figures of one run, which is made if need be; exits when it fails."""
    directory = output / f"{experiment}-{seed}"
    if not (directory / "metrics.json").is_file():
        command = [
            sys.executable, str(ROOT / "run.py"), f"experiment={experiment}", f"seed={seed}",
            f"hydra.run.dir={directory}", *given.words,
        ]
        if given.directory is not None:
            command.append(f"dataset.directory={given.directory.resolve()}")
        started = time.perf_counter()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code != 0:
            sys.exit(f"experiment={experiment} seed={seed} ended with {code}; see {directory}")
        (directory / "seconds").write_text(f"{time.perf_counter() - started:.1f}\n")
    record: dict[str, Any] = json.loads((directory / "metrics.json").read_text())
    timed = directory / "seconds"
    record["seconds"] = float(timed.read_text()) if timed.is_file() else None
    return record


def show(experiment: str, records: list[dict[str, Any]]) -> None:
    """One line a seed, and their mean and standard deviation."""
    table = Table(title=f"experiment={experiment}, {records[0]['test_examples']:,} test examples",
                  title_justify="left")
    for heading in ("seed", "test accuracy", "test loss", "steps", "training", "whole run"):
        table.add_column(heading, justify="right")
    for record in records:
        whole = record["seconds"]
        table.add_row(
            str(record["seed"]), f"{record['test_accuracy']:.2%}", f"{record['test_loss']:.4f}",
            f"{record['step']:,}", f"{record['durations']['train']:.0f} s",
            "–" if whole is None else f"{whole:.0f} s",
        )
    accuracies = [record["test_accuracy"] for record in records]
    deviation = f" ± {statistics.stdev(accuracies):.2%}" if len(accuracies) > 1 else ""
    table.add_section()
    table.add_row("mean", f"{statistics.mean(accuracies):.2%}{deviation}")
    Console().print(table)


def main() -> None:
    """Trains and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", nargs="+", default=["book"], help="of conf/experiment")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--directory", type=Path, help="of MNIST's IDX files; without: by TFDS")
    parser.add_argument("--output", type=Path, help="of the runs; without: they are removed")
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="more for run.py")
    given = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as temporary:
        output = (given.output or Path(temporary)).resolve()
        for experiment in given.experiment:
            show(experiment, [train(experiment, seed, given, output) for seed in given.seeds])


if __name__ == "__main__":
    main()
