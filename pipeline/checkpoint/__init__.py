"""TensorFlow checkpoints without TensorFlow, and without JAX: NumPy and a checksum are enough.

- `write_bundle`, `CheckpointReader`: tensors by name ↔ `P.index`, `P.data-?????-of-?????`
- `Saver`: variables ↔ a series of checkpoints and the `checkpoint` state file

The format is described in docs/formats/tensor_bundle.md; read `table`, `entry`, `writer`, `reader`.
"""

from pipeline.checkpoint.describe import Description as Description
from pipeline.checkpoint.describe import describe as describe
from pipeline.checkpoint.difference import Difference as Difference
from pipeline.checkpoint.difference import compare_checkpoints as compare_checkpoints
from pipeline.checkpoint.errors import AbortedError as AbortedError
from pipeline.checkpoint.errors import CheckpointError as CheckpointError
from pipeline.checkpoint.errors import DataLossError as DataLossError
from pipeline.checkpoint.errors import InvalidArgumentError as InvalidArgumentError
from pipeline.checkpoint.errors import InvalidTypeError as InvalidTypeError
from pipeline.checkpoint.errors import NotFoundError as NotFoundError
from pipeline.checkpoint.errors import PermissionDeniedError as PermissionDeniedError
from pipeline.checkpoint.errors import ResourceExhaustedError as ResourceExhaustedError
from pipeline.checkpoint.errors import UnimplementedError as UnimplementedError
from pipeline.checkpoint.names import checkpoint_exists as checkpoint_exists
from pipeline.checkpoint.object_writer import write_object_checkpoint as write_object_checkpoint
from pipeline.checkpoint.opening import checkpoint_prefix as checkpoint_prefix
from pipeline.checkpoint.opening import list_variables as list_variables
from pipeline.checkpoint.opening import load_checkpoint as load_checkpoint
from pipeline.checkpoint.opening import load_variable as load_variable
from pipeline.checkpoint.optimizer_slots import EMA as EMA
from pipeline.checkpoint.optimizer_slots import GLOBAL_STEP as GLOBAL_STEP
from pipeline.checkpoint.optimizer_slots import OptimizerSlots as OptimizerSlots
from pipeline.checkpoint.optimizer_slots import average_name as average_name
from pipeline.checkpoint.optimizer_slots import optimizer_slots as optimizer_slots
from pipeline.checkpoint.optimizer_slots import variables_to_restore as variables_to_restore
from pipeline.checkpoint.plan import Fit as Fit
from pipeline.checkpoint.plan import RestorePlan as RestorePlan
from pipeline.checkpoint.reader import CheckpointReader as CheckpointReader
from pipeline.checkpoint.reader import NewCheckpointReader as NewCheckpointReader
from pipeline.checkpoint.retention import remove_checkpoint as remove_checkpoint
from pipeline.checkpoint.saver import Saver as Saver
from pipeline.checkpoint.saver_def import SaverDef as SaverDef
from pipeline.checkpoint.selection import get_unique_variable as get_unique_variable
from pipeline.checkpoint.selection import get_variables_by_name as get_variables_by_name
from pipeline.checkpoint.selection import get_variables_by_suffix as get_variables_by_suffix
from pipeline.checkpoint.selection import get_variables_to_restore as get_variables_to_restore
from pipeline.checkpoint.slices import Part as Part
from pipeline.checkpoint.slices import PartitionedTensor as PartitionedTensor
from pipeline.checkpoint.state import CheckpointState as CheckpointState
from pipeline.checkpoint.state import get_checkpoint_state as get_checkpoint_state
from pipeline.checkpoint.state import latest_checkpoint as latest_checkpoint
from pipeline.checkpoint.state import update_checkpoint_state as update_checkpoint_state
from pipeline.checkpoint.warm_start import init_from_checkpoint as init_from_checkpoint
from pipeline.checkpoint.warm_start import plan_restore as plan_restore
from pipeline.checkpoint.writer import write_bundle as write_bundle
