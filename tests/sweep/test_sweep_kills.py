"""A sweep killed at random moments, gone on with each time, against the same one left alone."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

from command_line_of_sweeps import running, wait_until

KILLS = int(os.environ.get("JAXFROST_CASES", "2"))
WORDS = ("-m", "model=softmax", "trainer.epochs=6", "trainer.checkpoint_every=1", "seeds=2",
         "optimizer.learning_rate=0.01,0.03", "persistence=tf_checkpoint")


def results(sweep: Path) -> dict[str, Any]:
    """What came of each run, without when and how fast."""
    found = {}
    for path in sweep.glob("*/*/metrics.json"):
        made = json.loads(path.read_text())
        for interval in made["history"]:
            del interval["examples_per_second"]
        kept = ("history", "test_loss", "test_accuracy", "config_hash", "parity")
        [shard] = path.parent.glob("model.ckpt-*.data-*")
        name = str(path.parent.relative_to(sweep))
        found[name] = {**{key: made[key] for key in kept}, "checkpoint": shard.read_bytes()}
    return found


def table(sweep: Path) -> tuple[Any, list[dict[str, str]], Any]:
    """`sweep.json`, `sweep.csv` and `gate.json` without times and the directory's own name."""
    record = json.loads((sweep / "sweep.json").read_text())
    for key in ("name", "started", "seconds"):
        del record[key]
    for setting in record["settings"]:
        for measured in (setting["mean"], setting["deviation"],
                         *(one["metrics"] for one in setting["runs"])):
            for name in [name for name in measured if name.startswith("durations.")]:
                del measured[name]
        for one in setting["runs"]:
            del one["seconds"]
    with (sweep / "sweep.csv").open(newline="") as file:
        rows = [{name: value for name, value in row.items()
                 if name != "seconds" and not name.startswith("durations.")}
                for row in csv.DictReader(file)]
    return record, rows, json.loads((sweep / "gate.json").read_text())


def has_told(process: subprocess.Popen[str], said: Path, lines: int) -> bool:
    """Whether so many epochs were told of, of 24 in the whole sweep, or all is over."""
    return said.read_text().count("step ") >= lines or process.poll() is not None


def test_a_sweep_killed_at_any_moment_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    with running(tmp_path, *WORDS, "hydra.sweep.dir=whole") as process:
        assert process.wait() == 0, (tmp_path / "said").read_text()
    expected = results(tmp_path / "whole")
    assert len(expected) == 4

    chance, said, codes = random.Random(0), tmp_path / "said", []
    while len(codes) < KILLS and 0 not in codes:
        words = (*WORDS, "hydra.sweep.dir=killed") if not codes else ("sweep.resume=killed",)
        said.unlink()
        with running(tmp_path, *words) as process:
            lines = chance.randint(1, 12)    # as many are still to come the first time
            wait_until(partial(has_told, process, said, lines))
            time.sleep(chance.uniform(0, 0.2))
            process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
            codes.append(process.wait())
            assert codes[-1] in (-signal.SIGKILL, 75, 0), said.read_text()
    assert codes[0] != 0, "it was killed at least once"

    with running(tmp_path, "sweep.resume=killed") as process:
        assert process.wait() == 0, said.read_text()
    assert results(tmp_path / "killed") == expected
    assert table(tmp_path / "killed") == table(tmp_path / "whole")
    assert list(table(tmp_path / "killed")[0]["varied"]) == ["optimizer.learning_rate"]
