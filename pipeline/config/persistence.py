"""What `conf/persistence/*.yaml` may hold: the targets a run writes, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

Positive: TypeAlias = Annotated[int, Field(gt=0)]


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
class TfCheckpointTarget:
    """A V2 Saver checkpoint: `prefix-STEP.index`, `.data-…`, and the `checkpoint` state file."""

    kind: Literal["tf_checkpoint"]
    prefix: RunPath = "model.ckpt"  # relative to the run's directory
    max_to_keep: Positive = 5
    optimizer_slots: bool = True   # also layer1/weights/Momentum, beta1_power, global_step, …


@dataclass(kw_only=True)
class FrozenGraphTarget:
    """A GraphDef of ordinary ops with the variables as constants."""

    kind: Literal["frozen_graph"]
    file: RunPath = "frozen_graph.pb"
    input: str = "input"           # node names
    logits: str = "logits"
    output: str = "probabilities"
    opset: Literal["tf1", "modern"] = "tf1"


TargetConfig: TypeAlias = Annotated[
    OrbaxTarget | TfCheckpointTarget | FrozenGraphTarget, Field(discriminator="kind")
]


@dataclass(kw_only=True)
class VerificationConfig:
    """How closely an artefact must agree with the model it came from."""

    examples: Positive = 256                      # of the test split
    relative_tolerance: Annotated[float, Field(gt=0.0)] = 1e-4
    absolute_tolerance: Annotated[float, Field(gt=0.0)] = 1e-5
