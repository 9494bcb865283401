"""What `conf/persistence/*.yaml` may hold: the targets a run writes, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

Positive: TypeAlias = Annotated[int, Field(gt=0)]
Count: TypeAlias = Annotated[int, Field(ge=0)]
PositiveFloat: TypeAlias = Annotated[float, Field(gt=0.0)]


def _inside(path: str) -> str:
    parts = PurePath(path).parts
    if not parts or ".." in parts or PurePath(path).is_absolute():
        raise PydanticCustomError(
            "run_path", "input should be a path inside the run's directory, relative and without .."
        )
    return path


# Everything that a run leaves lies in its own directory.
RunPath: TypeAlias = Annotated[str, AfterValidator(_inside)]


@dataclass(kw_only=True)
class OrbaxTarget:
    """The complete training state as an orbax step."""

    kind: Literal["orbax"]
    directory: RunPath = "orbax"


@dataclass(kw_only=True)
class GraphNames:
    """What a graph's nodes are called, and for which TensorFlow it is written."""

    input: str = "input"
    logits: str = "logits"
    output: str = "probabilities"
    opset: Literal["tf1", "modern"] = "tf1"


@dataclass(kw_only=True)
class TfCheckpointTarget(GraphNames):
    """A V2 Saver checkpoint: `prefix-STEP.index`, `.data-…`, `.meta`, and the state file."""

    kind: Literal["tf_checkpoint"]
    prefix: RunPath = "model.ckpt"  # relative to the run's directory
    every: Positive | None = None  # intervals between checkpoints while training; null: the last
    max_to_keep: Count = 5         # 0 keeps all
    keep_checkpoint_every_n_hours: PositiveFloat = 10000.0
    global_step: bool = True       # in the names: model.ckpt-390; without, each save replaces
    pad_step_number: bool = False  # model.ckpt-00000390, so that names sort
    latest_filename: str = "checkpoint"
    write_state: bool = True
    save_relative_paths: bool = True  # in the state file, so that the directory can be moved
    write_meta_graph: bool = True
    resource_variables: bool = False  # in the graph; TF1's reference variables otherwise
    optimizer_slots: bool = True   # also layer1/weights/Momentum, beta1_power, …
    averages: bool = True          # also layer1/weights/ExponentialMovingAverage, if there are any
    shards: Positive = 1           # data files, of about equal size
    align: Positive = 1            # 1: TensorFlow's own bytes; 64: loads into JAX without a copy


@dataclass(kw_only=True)
class MetaGraphTarget(GraphNames):
    """A MetaGraphDef alone: no values, but how each variable begins."""

    kind: Literal["meta_graph"]
    file: RunPath = "graph.meta"
    form: Literal["binary", "text", "json"] = "binary"
    resource_variables: bool = False


@dataclass(kw_only=True)
class FrozenGraphTarget(GraphNames):
    """A GraphDef of ordinary ops with the variables as constants."""

    kind: Literal["frozen_graph"]
    file: RunPath = "frozen_graph.pb"
    as_text: bool = False


@dataclass(kw_only=True)
class SavedModelTarget(GraphNames):
    """TensorFlow 1's form of a SavedModel, for TensorFlow Serving and `tf.saved_model.load`."""

    kind: Literal["saved_model"]
    directory: RunPath = "saved_model"


@dataclass(kw_only=True)
class OnnxTarget:
    """An ONNX model, by the packages of the extra `onnx`."""

    kind: Literal["onnx"]
    file: RunPath = "model.onnx"
    input: str = "input"
    logits: str = "logits"
    output: str = "probabilities"
    opset: Annotated[int, Field(ge=17)] = 23


@dataclass(kw_only=True)
class TfliteTarget:
    """A TFLite model for LiteRT, by the packages of the extra `tflite`."""

    kind: Literal["tflite"]
    file: RunPath = "model.tflite"
    input: str = "input"
    logits: str = "logits"
    output: str = "probabilities"


@dataclass(kw_only=True)
class TfjsTarget(GraphNames):
    """A TF.js graph model: model.json and its weight files."""

    kind: Literal["tfjs"]
    directory: RunPath = "tfjs"
    weights: Literal["float32", "float16", "uint8"] = "float32"    # of matrices and kernels


TargetConfig: TypeAlias = Annotated[
    OrbaxTarget | TfCheckpointTarget | MetaGraphTarget | FrozenGraphTarget | SavedModelTarget
    | OnnxTarget | TfliteTarget | TfjsTarget,
    Field(discriminator="kind"),
]


@dataclass(kw_only=True)
class VerificationConfig:
    """How closely an artefact must agree with the model it came from."""

    examples: Positive | None = None              # of the test split; None: all
    relative_tolerance: Annotated[float, Field(gt=0.0)] = 1e-4
    absolute_tolerance: Annotated[float, Field(gt=0.0)] = 1e-5
