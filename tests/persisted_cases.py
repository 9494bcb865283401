"""Trained models with everything written of them, small enough to train in a blink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configured import configured, digits

from pipeline import model
from pipeline.config import Config
from pipeline.persistence import Artifact, Trained, persist
from pipeline.train import fit

CNN: dict[str, Any] = {
    "name": "small_cnn",
    "input_shape": [28, 28, 1],
    "scopes": {
        "conv": {"kind": "conv", "filters": 4, "kernel_size": 5, "strides": 2, "use_bias": False},
        "bn": {"kind": "batch_norm", "decay": 0.5, "activation": "relu"},
        "pool": {"kind": "max_pool"},
        "mean": {"kind": "avg_pool", "size": 2},
        "drop": {"kind": "dropout", "rate": 0.2},
        "out": {"kind": "dense", "units": 10},
    },
}
MLP = ("model.scopes.layer1.units=6",)
# Adam's epsilon means another thing in TensorFlow (tests/train); so small, it means none in both.
RECIPES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "adam": ((*MLP, "optimizer=adam", "optimizer.epsilon=1e-12", "trainer.ema={decay: 0.9}"), {}),
    "momentum": ((*MLP, "optimizer=momentum", "optimizer.clip_norm=1.0"), {}),
    "sgd": ((*MLP, "optimizer=sgd"), {}),
    "cnn": (("optimizer=adam", "trainer.ema={decay: 0.9}"), {"model": CNN}),
}


@dataclass(frozen=True)
class Persisted:
    """A run's outcome."""

    config: Config
    trained: Trained
    artifacts: dict[str, Artifact]
    directory: Path


def recipe(name: str, *words: str, steps: int = 6) -> Config:
    """A configuration that trains in a blink."""
    own, sections = RECIPES[name]
    return configured(
        *own, "optimizer.learning_rate=0.01", "trainer.batch_size=20", "trainer.epochs=null",
        "trainer.interval=6", f"trainer.steps={steps}", *words, **sections,
    )


def make(name: str, directory: Path, *words: str, steps: int = 6) -> Persisted:
    """Trains and writes every target."""
    config = recipe(name, *words, steps=steps)
    network = model.build(config.model)
    fitted = fit(network, digits(), config, directory / "orbax")
    trained = Trained(network, fitted.variables, steps, fitted.snapshot)
    artifacts = persist(config.persistence, trained, directory)
    return Persisted(config, trained, {made.target: made for made in artifacts}, directory)


@pytest.fixture(scope="session")
def persisted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Persisted]:
    """The run of one recipe, by name; to look at, not to change."""
    made: dict[str, Persisted] = {}

    def get(name: str) -> Persisted:
        if name not in made:
            made[name] = make(name, tmp_path_factory.mktemp(name))
        return made[name]

    return get


def images(trained: Trained, count: int) -> np.ndarray:
    """What the exported graph takes: float32 [count, *input_shape]."""
    return np.asarray(model.to_input(trained.network, digits().test.pixels[:count]))
