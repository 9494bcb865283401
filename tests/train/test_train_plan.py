"""How long training takes, how it is cut, and when it has gone on long enough."""

from __future__ import annotations

import io
import re

import pytest
from configured import configured
from rich.console import Console

from pipeline.config.schema import EarlyStoppingConfig
from pipeline.train import Interval, TrainError, progress
from pipeline.train.history import Patience
from pipeline.train.plan import Plan
from pipeline.train.progress import line


def plan(examples: int, *words: str) -> Plan:
    return Plan.build(configured(*words).trainer, examples)


@pytest.mark.parametrize(
    ("words", "examples", "steps", "interval"),
    [
        (["trainer.epochs=2"], 1300, 26, 13),
        (["trainer.epochs=0.5"], 1300, 6, 6),
        (["trainer.epochs=0.001"], 1300, 1, 1),
        (["trainer.epochs=3"], 250, 8, 2),            # 7.5 batches in three epochs
        (["trainer.epochs=null", "trainer.steps=7"], 1300, 7, 7),
        (["trainer.epochs=2", "trainer.interval=5"], 1300, 26, 5),
        (["trainer.epochs=2", "trainer.interval=500"], 1300, 26, 26),
        (["trainer.epochs=1"], 100, 1, 1),
    ],
)
def test_lengths(words: list[str], examples: int, steps: int, interval: int) -> None:
    assert plan(examples, *words) == Plan(examples, steps, interval)


def test_a_batch_larger_than_the_split_is_refused() -> None:
    with pytest.raises(TrainError, match=r"trainer\.batch_size=100.*only 99 examples"):
        plan(99)


def interval(step: int, loss: float | None = None, accuracy: float | None = None) -> Interval:
    return Interval(step, 1.0, 0.5, 0.5, 0.1, 1e5, loss, accuracy)


def stops_after(metrics: list[float], config: EarlyStoppingConfig) -> int | None:
    """The evaluation after which it is time to stop."""
    patience = Patience()
    for number, value in enumerate(metrics, start=1):
        patience.take(interval(number, loss=value, accuracy=value), config)
        if patience.is_exhausted(config):
            return number
    return None


@pytest.mark.parametrize(
    ("metrics", "settings", "expected"),
    [
        ([0.5, 0.6, 0.7], {"patience": 1}, None),
        ([0.5, 0.5, 0.7], {"patience": 1}, 2),
        ([0.5, 0.4, 0.6, 0.5, 0.5], {"patience": 2}, 5),
        ([0.5, 0.55, 0.6, 0.65], {"patience": 2, "min_delta": 0.1}, 3),
        ([0.9, 0.8, 0.7], {"patience": 1, "metric": "loss"}, None),
        ([0.9, 0.95, 0.8, 0.85, 0.9], {"patience": 2, "metric": "loss"}, 5),
        ([float("nan")] * 3, {"patience": 2, "metric": "loss"}, 2),
    ],
)
def test_early_stopping(
    metrics: list[float], settings: dict[str, float], expected: int | None
) -> None:
    assert stops_after(metrics, EarlyStoppingConfig(**settings)) == expected  # type: ignore[arg-type]


def test_intervals_without_an_evaluation_wait_for_nothing() -> None:
    patience, config = Patience(), EarlyStoppingConfig(patience=1)
    for step in range(5):
        patience.take(interval(step), config)
    patience.take(interval(9, loss=1.0, accuracy=0.1), None)
    assert patience == Patience()
    assert not patience.is_exhausted(None)


def test_a_line_says_what_there_is() -> None:
    assert "validation" not in line(interval(1))
    assert "validation 0.1250" in line(interval(1, loss=1.0, accuracy=0.125))


def test_a_narrow_terminal_cuts_off_the_end_of_the_line_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = io.StringIO()
    console = Console(file=said, width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(progress, "open_console", lambda stderr: console)
    with progress.show_progress(plan(1300, "trainer.epochs=3")) as show:
        show(interval(39, loss=1.0, accuracy=0.125))
    shown = said.getvalue()
    assert "step 39/39 " in shown
    assert re.search(r"accuracy \S+  validation 0\.1250", shown)
    assert "…" in shown
