"""TensorFlow checkpoints without TensorFlow, and without JAX: NumPy and a checksum are enough.

- `write_bundle`, `CheckpointReader`: tensors by name ↔ `P.index`, `P.data-?????-of-?????`
- `Saver`: variables ↔ a series of checkpoints and the `checkpoint` state file

The format is described in docs/formats/tensor_bundle.md; read `table`, `entry`, `writer`, `reader`.
"""

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
from pipeline.checkpoint.reader import CheckpointReader as CheckpointReader
from pipeline.checkpoint.retention import remove_checkpoint as remove_checkpoint
from pipeline.checkpoint.saver import Saver as Saver
from pipeline.checkpoint.saver_def import SaverDef as SaverDef
from pipeline.checkpoint.slices import Part as Part
from pipeline.checkpoint.slices import PartitionedTensor as PartitionedTensor
from pipeline.checkpoint.state import CheckpointState as CheckpointState
from pipeline.checkpoint.state import get_checkpoint_state as get_checkpoint_state
from pipeline.checkpoint.state import latest_checkpoint as latest_checkpoint
from pipeline.checkpoint.state import update_checkpoint_state as update_checkpoint_state
from pipeline.checkpoint.writer import write_bundle as write_bundle
