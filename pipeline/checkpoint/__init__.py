"""TensorFlow checkpoints without TensorFlow, and without JAX: NumPy and a checksum are enough.

- `write_bundle`, `CheckpointReader`: tensors by name ↔ `P.index`, `P.data-?????-of-?????`
- `Saver`: variables ↔ a series of checkpoints and the `checkpoint` state file
- `init_from_checkpoint`, `plan_restore`: warm starts, and what one would do
- `describe`, `compare_checkpoints`: a look into files; `python -m pipeline.checkpoint`

The format is described in docs/formats/tensor_bundle.md; read `table`, `entry`, `writer`, `reader`.

Opening a checkpoint shall cost what importing NumPy costs, so only the reader is imported at once;
the other names are when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.checkpoint.errors import AbortedError as AbortedError
from pipeline.checkpoint.errors import CheckpointError as CheckpointError
from pipeline.checkpoint.errors import DataLossError as DataLossError
from pipeline.checkpoint.errors import InvalidArgumentError as InvalidArgumentError
from pipeline.checkpoint.errors import InvalidTypeError as InvalidTypeError
from pipeline.checkpoint.errors import NotFoundError as NotFoundError
from pipeline.checkpoint.errors import PermissionDeniedError as PermissionDeniedError
from pipeline.checkpoint.errors import ResourceExhaustedError as ResourceExhaustedError
from pipeline.checkpoint.errors import UnimplementedError as UnimplementedError
from pipeline.checkpoint.reader import CheckpointReader as CheckpointReader
from pipeline.checkpoint.reader import NewCheckpointReader as NewCheckpointReader

if TYPE_CHECKING:
    from pipeline.checkpoint.description import Description as Description
    from pipeline.checkpoint.description import describe as describe
    from pipeline.checkpoint.difference import Difference as Difference
    from pipeline.checkpoint.difference import compare_checkpoints as compare_checkpoints
    from pipeline.checkpoint.names import checkpoint_exists as checkpoint_exists
    from pipeline.checkpoint.object_writer import write_object_checkpoint as write_object_checkpoint
    from pipeline.checkpoint.opening import checkpoint_prefix as checkpoint_prefix
    from pipeline.checkpoint.opening import list_variables as list_variables
    from pipeline.checkpoint.opening import load_checkpoint as load_checkpoint
    from pipeline.checkpoint.opening import load_variable as load_variable
    from pipeline.checkpoint.plan import Fit as Fit
    from pipeline.checkpoint.plan import RestorePlan as RestorePlan
    from pipeline.checkpoint.retention import remove_checkpoint as remove_checkpoint
    from pipeline.checkpoint.saver import Saver as Saver
    from pipeline.checkpoint.saver_def import SaverDef as SaverDef
    from pipeline.checkpoint.selection import get_unique_variable as get_unique_variable
    from pipeline.checkpoint.selection import get_variables_by_name as get_variables_by_name
    from pipeline.checkpoint.selection import get_variables_by_suffix as get_variables_by_suffix
    from pipeline.checkpoint.selection import get_variables_to_restore as get_variables_to_restore
    from pipeline.checkpoint.slices import Part as Part
    from pipeline.checkpoint.slices import PartitionedTensor as PartitionedTensor
    from pipeline.checkpoint.slot_names import EMA as EMA
    from pipeline.checkpoint.slot_names import GLOBAL_STEP as GLOBAL_STEP
    from pipeline.checkpoint.slot_names import OptimizerSlots as OptimizerSlots
    from pipeline.checkpoint.slot_names import average_name as average_name
    from pipeline.checkpoint.slot_names import optimizer_slots as optimizer_slots
    from pipeline.checkpoint.slot_names import variables_to_restore as variables_to_restore
    from pipeline.checkpoint.state import CheckpointState as CheckpointState
    from pipeline.checkpoint.state import get_checkpoint_state as get_checkpoint_state
    from pipeline.checkpoint.state import latest_checkpoint as latest_checkpoint
    from pipeline.checkpoint.state import update_checkpoint_state as update_checkpoint_state
    from pipeline.checkpoint.warm_start import init_from_checkpoint as init_from_checkpoint
    from pipeline.checkpoint.warm_start import plan_restore as plan_restore
    from pipeline.checkpoint.writer import write_bundle as write_bundle

_LATER = {
    "description": ("Description", "describe"),
    "difference": ("Difference", "compare_checkpoints"),
    "names": ("checkpoint_exists",),
    "object_writer": ("write_object_checkpoint",),
    "opening": ("checkpoint_prefix", "list_variables", "load_checkpoint", "load_variable"),
    "slot_names": ("EMA", "GLOBAL_STEP", "OptimizerSlots", "average_name", "optimizer_slots",
        "variables_to_restore"),
    "plan": ("Fit", "RestorePlan"),
    "retention": ("remove_checkpoint",),
    "saver": ("Saver",),
    "saver_def": ("SaverDef",),
    "selection": ("get_unique_variable", "get_variables_by_name", "get_variables_by_suffix",
        "get_variables_to_restore"),
    "slices": ("Part", "PartitionedTensor"),
    "state": ("CheckpointState", "get_checkpoint_state", "latest_checkpoint",
        "update_checkpoint_state"),
    "warm_start": ("init_from_checkpoint", "plan_restore"),
    "writer": ("write_bundle",),
}
_HOME = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
