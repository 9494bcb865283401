"""What phones and browsers run, as artefacts of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configured import configured, digits

from pipeline import model, persistence
from pipeline.persistence import Trained
from pipeline.verification import verify

CHOICES = {
    "tflite": (["persistence=tflite"], "model.tflite", 2),
    "tfjs": (["persistence=tfjs"], "tfjs", 1),
    "tfjs float16": (["persistence=tfjs", "persistence.tfjs.weights=float16"], "tfjs", 1),
    "tfjs uint8": (["persistence=tfjs", "persistence.tfjs.weights=uint8"], "tfjs", 1),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_written_verified_and_read(choice: str, tmp_path: Path) -> None:
    words, name, readings = CHOICES[choice]
    config: Any = configured("model.scopes.layer1.units=6", *words)
    network = model.build(config.model)
    made = Trained(network, network.init(3), 5)
    artifact, = persistence.persist(config.persistence, made, tmp_path)
    assert artifact.path == tmp_path / name
    assert all(file.bytes for file in artifact.files)
    pixels = digits().test.pixels
    parities = verify(made, config.persistence, [artifact], pixels, config.verification)
    assert len(parities) == readings
    assert all(parity.agrees for parity in parities), parities
    found = persistence.find(artifact.path)
    assert (found.kind, found.path) == (choice.split()[0], artifact.path)
    logits = persistence.load_logits(artifact.path, network, pixels)
    native = model.predict_logits(network, made.variables, pixels)
    tolerance = 3e-2 if "uint8" in choice else 2e-3
    np.testing.assert_allclose(logits, native, atol=tolerance * np.abs(native).max())
    if choice == "tfjs":
        restored = persistence.load_variables(artifact.path, network)
        for key, value in made.variables.items():
            np.testing.assert_array_equal(restored[key], value)
