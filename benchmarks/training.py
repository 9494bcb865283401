"""An epoch of our training beside the same training written elsewhere; prints ratios.

    python benchmarks/training.py [--rounds 7] [--steps 550] [--directory DIR]
    python benchmarks/training.py --rivals scan                  # needs no `.[bench]`
    KERAS_BACKEND=tensorflow python benchmarks/training.py --rivals keras

Every round trains one epoch of everybody in a random order; the ratio is the median over rounds of
rival / ours, of the same round. The second table is the convolutional model of `model=cnn`, with
our gradient of a convolution and with JAX's own (pipeline/model/convolution.py).
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import sys
import time
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table
from training_rivals import (
    BATCH,
    RIVALS,
    Epoch,
    Examples,
    MissingRivalError,
    convolution_of_jax,
    pipeline_epoch,
)

from pipeline.data import read_data_sets

OURS = "pipeline"


def load_examples(directory: Path | None, steps: int) -> Examples:
    """The first examples of the IDX files in `directory`, or made-up ones that can be learned."""
    count = steps * BATCH
    if directory is not None:
        train = read_data_sets(directory, validation_size=0).train
        if len(train.pixels) < count:
            sys.exit(f"--steps {steps}: needs {count} examples; there are {len(train.pixels)}")
        return Examples(train.pixels[:count], train.digits[:count])
    generator = np.random.default_rng(0)
    prototypes = generator.integers(0, 128, (10, 28, 28), np.uint8)
    digits = generator.integers(0, 10, count).astype(np.uint8)
    noise = generator.integers(0, 128, (count, 28, 28), np.uint8)
    return Examples(prototypes[digits] + noise, digits)


def measure(epochs: dict[str, Epoch], rounds: int) -> dict[str, list[float]]:
    """Seconds of each epoch, by name, in every round; a first epoch is for compiling."""
    first = {name: epoch() for name, epoch in epochs.items()}
    last = dict(first)
    seconds: dict[str, list[float]] = {name: [] for name in epochs}
    for _ in range(rounds):
        for name in random.sample(list(epochs), len(epochs)):
            started = time.perf_counter()
            last[name] = epochs[name]()
            seconds[name].append(time.perf_counter() - started)
    for name, loss in last.items():
        if not (math.isfinite(loss) and loss < first[name]):
            sys.exit(f"{name} does not learn: its loss went from {first[name]} to {loss}")
    return seconds


def show(title: str, seconds: dict[str, list[float]], steps: int) -> None:
    """One line a rival: median epoch, spread, time a step, and the ratio to ours."""
    table = Table(title=title, title_justify="left")
    table.add_column("who")
    for heading in ("epoch", "fastest", "slowest", "a step", "rival / ours", "ours / rival"):
        table.add_column(heading, justify="right")
    ours = seconds[OURS]
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        middle = statistics.median(times)
        ratio = statistics.median(t / o for t, o in zip(times, ours, strict=True))
        table.add_row(
            name, f"{middle:.3f} s", f"{min(times):.3f} s", f"{max(times):.3f} s",
            f"{middle / steps * 1e6:,.0f} µs", f"{ratio:.2f}", f"{1 / ratio:.3f}",
        )
    Console().print(table)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="epochs of each")
    parser.add_argument("--steps", type=int, default=550, help=f"batches of {BATCH} in an epoch")
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--convolution-steps", type=int, default=20, help="0: no such table")
    parser.add_argument("--directory", type=Path, help="of MNIST's IDX files; else made-up data")
    given = parser.parse_args()
    examples = load_examples(given.directory, given.steps)
    print(f"jax {jax.__version__} on {jax.devices()[0]}, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}")
    try:
        epochs = {OURS: pipeline_epoch(examples, "model=mlp")}
        epochs |= {name: RIVALS[name](examples) for name in given.rivals}
    except MissingRivalError as error:
        sys.exit(str(error))
    show(f"784-500-10, SGD, batch {BATCH}, {given.steps} steps", measure(epochs, given.rounds),
         given.steps)
    if given.convolution_steps:
        compare_convolutions(load_examples(given.directory, given.convolution_steps), given.rounds)


def compare_convolutions(examples: Examples, rounds: int) -> None:
    """The convolutional model inside the scan, by our gradient and by JAX's."""
    words = ("model=cnn", "optimizer=adam", "optimizer.learning_rate=0.002")
    ours, theirs = (pipeline_epoch(examples, *words) for _ in range(2))
    with convolution_of_jax():
        theirs()    # traced and compiled here
    show(f"model=cnn, Adam, batch {BATCH}, {examples.steps} steps",
         measure({OURS: ours, "gradient of lax": theirs}, rounds), examples.steps)


if __name__ == "__main__":
    main()
