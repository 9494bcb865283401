"""ONNX by jax2onnx, read back by ONNX Runtime; the extra `onnx` installs both.

They are imported where they are used: nobody else pays for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from pipeline.config.model import ModelConfig
from pipeline.config.persistence import GraphNames, OnnxTarget
from pipeline.files import write_atomically
from pipeline.logs import errors_only
from pipeline.model import Network, Variables, to_input
from pipeline.persistence.artifact import Artifact, ArtifactError, PersistenceError
from pipeline.persistence.graphs import inference
from pipeline.persistence.kinds.kind import Kind, Logits, Pixels, Reading, Trained, Written

_PACKAGES = ("jax2onnx", "onnxruntime")
_LIMIT = 1 << 31
_INSTEAD = ("write a frozen graph instead (persistence=frozen_graph) and convert it where "
            "TensorFlow is installed: python -m tf2onnx.convert --graphdef frozen_graph.pb "
            "--inputs input:0 --outputs probabilities:0 --output model.onnx")


def build_onnx(target: OnnxTarget, network: Network, variables: Variables) -> Any:
    """An ONNX ModelProto: images → logits and probabilities, with any batch size.

    The input is float32 [batch, *input_shape], grey levels as 0..1, as in the frozen graph. Weights
    that the converter left as they are have the names of their variables.

    Raises:
        PersistenceError: a package is missing, jax2onnx cannot convert the network, or the model
            would take 2 GiB or more.
    """
    require_packages()
    import jax2onnx

    def function(images: jax.Array) -> Any:
        return inference(network)(variables, images)

    try:
        # it warns, with a traceback, of each plugin for a package that is too new for it
        with errors_only("jax2onnx"):
            model = jax2onnx.to_onnx(
                function, [("batch", *network.input_shape)], model_name=network.name,
                opset=target.opset, input_names=[target.input],
                output_names=[target.logits, target.output])
    except Exception as error:    # it documents none: whatever a plugin of its raises comes through
        raise PersistenceError(f"persistence target of kind onnx: jax2onnx cannot convert model="
                               f"{network.name}: {error}; {_INSTEAD}") from error
    if (size := model.ByteSize()) >= _LIMIT:
        raise PersistenceError(f"persistence target of kind onnx: the model would take {size} bytes"
                               "; one file holds less than 2 GiB: keep a tf_checkpoint instead")
    _name_weights(model, variables)
    return model


def run_onnx(path: Path, names: GraphNames | OnnxTarget, images: jax.Array) -> NDArray[np.float32]:
    """The logits [n, classes] that ONNX Runtime computes for float images [n, …].

    Raises:
        PersistenceError: the package is missing.
        ArtifactError: the file is not a model that it can run.
    """
    require_packages()
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        logits, = session.run([names.logits], {names.input: np.asarray(images)})
    except Exception as error:    # its errors have no class of their own
        raise ArtifactError(f"{path}: ONNX Runtime: {error}") from error
    return np.asarray(logits)


def require_packages() -> None:
    """Raises PersistenceError where the extra is not installed."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise PersistenceError(
            f"persistence target of kind onnx: needs {' and '.join(missing)}, not installed here; "
            f"pip install 'jaxfrost[onnx]', or {_INSTEAD}")


def _name_weights(model: Any, variables: Variables) -> None:
    """Calls each constant that holds a variable's bytes as the variable; jax2onnx numbers them."""
    unnamed = {name: np.asarray(value).tobytes() for name, value in variables.items()}
    renamed: dict[str, str] = {}
    for constant in model.graph.initializer:
        found = next((name for name, content in unnamed.items()
                      if content == constant.raw_data), None)
        if found is not None:
            del unnamed[found]
            renamed[constant.name] = found
            constant.name = found
    _rename_inputs(model.graph, renamed)


def _rename_inputs(graph: Any, renamed: Mapping[str, str]) -> None:
    """In the bodies of loops and branches too, which see the names around them."""
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_inputs(attribute.g, renamed)


def _write(target: OnnxTarget, trained: Trained, run_directory: Path) -> Written:
    path = run_directory / target.file
    made = build_onnx(target, trained.network, trained.variables)
    write_atomically(path, made.SerializeToString(deterministic=True))
    return Written(path, [path])


def _readings(
    target: OnnxTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    logits = run_onnx(artifact.path, target, to_input(trained.network, pixels))
    yield Reading(artifact.target, logits, trained.variables)


def _logits(path: Path, network: Network, pixels: Pixels, config: ModelConfig) -> Logits:
    names = GraphNames(input=config.input or "input", logits=config.logits or "logits")
    return run_onnx(path, names, to_input(network, pixels))


ONNX = Kind(
    write=_write, readings=_readings, logits=_logits, require_packages=require_packages,
    at=lambda path: path if path.suffix == ".onnx" and path.is_file() else None,
)
