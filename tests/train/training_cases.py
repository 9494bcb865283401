"""Small recipes that use everything which could differ between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
from configured import configured, digits

from pipeline import model
from pipeline.config import Config
from pipeline.train import FitResult, TrainState, fit

EVERYTHING: dict[str, Any] = {
    "name": "everything",
    "input_shape": [28, 28, 1],
    "scopes": {
        "conv": {"kind": "conv", "filters": 3, "kernel_size": 5, "strides": 3, "use_bias": False},
        "bn": {"kind": "batch_norm", "decay": 0.9, "activation": "relu"},
        "pool": {"kind": "max_pool"},
        "drop": {"kind": "dropout", "rate": 0.3},
        "out": {"kind": "dense", "units": 10, "regularizer": {"kind": "l2", "scale": 1e-3}},
    },
}
WORDS = (
    "optimizer=adam", "optimizer.learning_rate=0.01", "schedule=cosine",
    "schedule.decay_steps=40", "schedule.warmup_steps=3", "trainer.batch_size=30",
    "trainer.epochs=null", "trainer.interval=4", "trainer.ema={decay: 0.9}",
    "trainer.label_smoothing=0.1",
    "trainer.augmentation={shift: 1, rotate: 5, scale: 0.1, shear: 2}",
)


def everything(*words: str, steps: int = 12) -> Config:
    """Convolution, batch normalisation, dropout, L2, Adam, cosine, averages, augmentation."""
    return configured(*WORDS, f"trainer.steps={steps}", *words, model=EVERYTHING)


def small(*words: str, steps: int = 12) -> Config:
    """784-4-10 by SGD."""
    return configured(
        "optimizer=sgd", "model.scopes.layer1.units=4", "trainer.batch_size=30",
        "trainer.epochs=null", "trainer.interval=4", f"trainer.steps={steps}", *words,
    )


def train(config: Config, directory: Path, **options: Any) -> FitResult:
    """`fit` on the embedded digits, saving under `directory`."""
    network = model.build(config.model)
    return fit(network, digits(), config, directory, **options)


def leaves(state: TrainState) -> dict[str, np.ndarray]:
    """Every array of a state by its path; the random key as its words."""
    found = {}
    for path, value in jax.tree.leaves_with_path(state):
        raw = jax.random.key_data(value) if jax.dtypes.issubdtype(
            value.dtype, jax.dtypes.prng_key
        ) else value
        found[jax.tree_util.keystr(path)] = np.asarray(raw)
    return found


def assert_identical(found: TrainState, expected: TrainState) -> None:
    """Bit for bit, in every array."""
    ours, theirs = leaves(found), leaves(expected)
    assert set(ours) == set(theirs)
    different = [name for name in ours if ours[name].tobytes() != theirs[name].tobytes()]
    assert not different
