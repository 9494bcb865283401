"""The same sweep made in several ways; prints wall and CPU time and ratios.

    python benchmarks/sweep.py [--rounds 3] [--cases rates seeds] [--ways basic joblib vmap]

Every round runs each way once, as a command of its own, in a random order, after one that fills the
caches. `basic` is Hydra's own launcher, one job after the other; `joblib` two at a time (needs
`jaxfrost[joblib]`); `vmap` all of them as one program. Ratios are medians over the rounds of
basic / other in the same round: above 1 the other way is faster. It ends with an error when what
they trained is not the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
RATES = ",".join(f"{0.0005 * 2 ** (k / 2):.6f}" for k in range(8))
CASES = {
    "rates": ("8 learning rates, model=mlp, 30 epochs", [f"optimizer.learning_rate={RATES}"]),
    "small": ("8 learning rates, model=softmax, 30 epochs",
              ["model=softmax", f"optimizer.learning_rate={RATES}"]),
    "seeds": ("8 seeds, model=cnn, 3 epochs", ["model=cnn", "trainer.epochs=3", "seeds=8"]),
}
WAYS = {
    "basic": [],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    "vmap": ["sweep.strategy=vmap"],
}
TOLERANCE = 0.05   # of a validation loss, relative: rounding differs, and grows with the steps


@dataclass(frozen=True)
class Cost:
    """Seconds of one command, and of them those that its runs say they trained."""

    wall: float
    cpu: float
    training: float


def measure(words: list[str], directory: Path) -> tuple[Cost, dict[str, float]]:
    """One sweep's cost, and the validation loss of each of its runs."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    given = ["-m", *words, "persistence=none", f"hydra.sweep.dir={directory}"]
    finished = subprocess.run([sys.executable, "run.py", *given], cwd=ROOT, capture_output=True,
                              text=True, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if finished.returncode:
        sys.exit(f"{' '.join(words)} ended with {finished.returncode}:\n{finished.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    records = {str(path.parent.relative_to(directory)): json.loads(path.read_text())
               for path in directory.rglob("metrics.json")}
    training = sum(record["durations"]["train"] for record in records.values())
    return Cost(wall, cpu, training), {name: record["validation_loss"]
                                       for name, record in records.items()}


def require_agreement(losses: dict[str, dict[str, float]]) -> None:
    """Ends the program when a run came out otherwise than one by one."""
    first, *others = losses
    for other in others:
        for name, expected in losses[first].items():
            found = losses[other][name]
            if abs(found - expected) > TOLERANCE * expected:
                sys.exit(f"{name}: validation loss {found} by {other}, {expected} by {first}")


def compare(words: list[str], ways: list[str], rounds: int) -> dict[str, list[Cost]]:
    """The cost of each way in each round."""
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as place:
        for number in range(-1, rounds):    # the first fills the caches
            losses = {}
            for way in ways if number < 0 else random.sample(ways, len(ways)):
                directory = Path(place) / f"{number}-{way}"
                cost, losses[way] = measure([*words, *WAYS[way]], directory)
                if number >= 0:
                    costs[way].append(cost)
            require_agreement({way: losses[way] for way in ways})
    return costs


def show(title: str, costs: dict[str, list[Cost]]) -> None:
    """One line a way."""
    table = Table(title=title, title_justify="left")
    table.add_column("way")
    first = next(iter(costs))
    for heading in ("wall", "CPU", "in training", f"{first} / it, wall", f"{first} / it, CPU"):
        table.add_column(heading, justify="right")
    for way, found in costs.items():
        pairs = list(zip(costs[first], found, strict=True))
        table.add_row(
            way, *(f"{statistics.median(values):.1f} s" for values in (
                [one.wall for one in found], [one.cpu for one in found],
                [one.training for one in found])),
            f"{statistics.median(base.wall / one.wall for base, one in pairs):.2f}",
            f"{statistics.median(base.cpu / one.cpu for base, one in pairs):.2f}",
        )
    Console().print(table)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    given = parser.parse_args()
    for case in given.cases:
        title, words = CASES[case]
        costs = compare(words, given.ways, given.rounds)
        show(f"{title}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", costs)


if __name__ == "__main__":
    main()
