"""ONNX models in the hands of ONNX Runtime."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from configured import configured, digits
from persisted_cases import CNN, Persisted, images

from pipeline import flow, model, persistence
from pipeline.config.persistence import OnnxTarget, VerificationConfig
from pipeline.context import Context
from pipeline.model import predict_logits
from pipeline.persistence.kinds import onnx as kind
from pipeline.verification import verify

# jax2onnx 0.13 reads names that JAX 0.10 deprecates
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TARGET = OnnxTarget(kind="onnx")


def trained(name: str) -> persistence.Trained:
    """A model of `conf/model`, its variables drawn anew so that none is trivial."""
    overrides = ["model=module", f"model.module={name}"] if "." in name else [f"model={name}"]
    config = configured(model=CNN) if name == "small" else configured(*overrides)
    network = model.build(config.model)
    random = np.random.default_rng(0)
    variables = {}
    for key, value in network.init(0).items():
        drawn = random.normal(size=value.shape) / np.sqrt(np.prod(value.shape[:-1]))
        drawn = np.abs(drawn) + 0.5 if key.endswith("variance") else drawn
        variables[key] = drawn.astype(np.float32)
    return persistence.Trained(network, variables, 7)


@pytest.mark.parametrize("name", ["softmax", "mlp", "lenet", "small",
                                  "configured_module.Branching"])
def test_onnx_runtime_gives_the_native_figures(name: str, tmp_path: Path) -> None:
    made = trained(name)
    artifact, = persistence.persist({"onnx": TARGET}, made, tmp_path)
    onnx.checker.check_model(str(artifact.path), full_check=True)
    session = onnxruntime.InferenceSession(artifact.path, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["input"]
    for batch in (1, 17):
        logits, probabilities = session.run(["logits", "probabilities"],
                                            {"input": images(made, batch)})
        native = predict_logits(made.network, made.variables, digits().test.pixels[:batch])
        np.testing.assert_allclose(logits, native, rtol=1e-4, atol=1e-5)
        raised = np.exp(native - native.max(-1, keepdims=True))
        np.testing.assert_allclose(probabilities, raised / raised.sum(-1, keepdims=True),
                                   rtol=1e-4, atol=1e-6)
    pixels = digits().test.pixels
    parity, = verify(made, {"onnx": TARGET}, [artifact], pixels, VerificationConfig())
    assert parity.agrees, parity


def test_weights_have_their_variables_names(tmp_path: Path) -> None:
    made = trained("mlp")
    artifact, = persistence.persist({"onnx": TARGET}, made, tmp_path)
    found = {each.name: onnx.numpy_helper.to_array(each)
             for each in onnx.load(artifact.path).graph.initializer}
    for name, value in made.variables.items():
        np.testing.assert_array_equal(found[name].reshape(value.shape), value)


def test_names_and_opset_are_as_asked(persisted: Callable[[str], Persisted],
                                      tmp_path: Path) -> None:
    target = OnnxTarget(kind="onnx", file="deep/m.onnx", input="x", logits="scores", output="y",
                        opset=18)
    artifact, = persistence.persist({"other": target}, persisted("adam").trained, tmp_path)
    loaded = onnx.load(artifact.path)
    assert artifact.path == tmp_path / "deep" / "m.onnx"
    assert {entry.domain: entry.version for entry in loaded.opset_import}[""] == 18
    assert [value.name for value in loaded.graph.output] == ["scores", "y"]
    assert persistence.run_onnx(artifact.path, target, np.zeros((2, 784), np.float32)).shape == (
        2, 10)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(persistence.PersistenceError, match=r"m\.onnx: ONNX Runtime"):
        persistence.run_onnx(path, TARGET, np.zeros((1, 784), np.float32))
    with pytest.raises(persistence.PersistenceError, match="restore from the run"):
        persistence.load_variables(path, trained("mlp").network)


def test_a_missing_package_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [key for key in sys.modules if key.split(".")[0] == "jax2onnx"]:
        monkeypatch.delitem(sys.modules, name)
    found = kind.find_spec
    monkeypatch.setattr(kind, "find_spec",
                        lambda name: None if name == "jax2onnx" else found(name))
    config: Any = configured("persistence=onnx")
    with pytest.raises(persistence.PersistenceError,
                       match=r"jax2onnx, not installed here; pip install 'jaxfrost\[onnx\]'"):
        flow.train_run(config, Context(tmp_path))


def test_what_jax2onnx_cannot_convert_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax2onnx

    def fail(*_: Any, **__: Any) -> None:
        raise NotImplementedError("no plugin for primitive foo")

    made = trained("mlp")
    monkeypatch.setattr(jax2onnx, "to_onnx", fail)
    with pytest.raises(persistence.PersistenceError, match=r"(?s)model=mlp: no plugin.*tf2onnx"):
        kind.build_onnx(TARGET, made.network, made.variables)
