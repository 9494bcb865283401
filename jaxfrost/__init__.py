"""The notebook's door: every public name, each loaded when it is first used.

    import jaxfrost
    reader = jaxfrost.CheckpointReader("model.ckpt-390")     # neither JAX nor TensorFlow
    graph_def = jaxfrost.freeze(function, variables, inputs, outputs=["probabilities"])

The rooms themselves, `jaxfrost.scopes` or `pipeline.scopes`, hold more, and say where to read on.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline import extras

if TYPE_CHECKING:
    from pipeline import checkpoint as checkpoint
    from pipeline import data as data
    from pipeline import evaluate as evaluate
    from pipeline import execution as execution
    from pipeline import graph as graph
    from pipeline import lowering as lowering
    from pipeline import model as model
    from pipeline import persistence as persistence
    from pipeline import scopes as scopes
    from pipeline import train as train
    from pipeline import verification as verification
    from pipeline.checkpoint import AbortedError as AbortedError
    from pipeline.checkpoint import CheckpointError as CheckpointError
    from pipeline.checkpoint import CheckpointReader as CheckpointReader
    from pipeline.checkpoint import CheckpointState as CheckpointState
    from pipeline.checkpoint import DataLossError as DataLossError
    from pipeline.checkpoint import InvalidArgumentError as InvalidArgumentError
    from pipeline.checkpoint import InvalidTypeError as InvalidTypeError
    from pipeline.checkpoint import NewCheckpointReader as NewCheckpointReader
    from pipeline.checkpoint import NotFoundError as NotFoundError
    from pipeline.checkpoint import PartitionedTensor as PartitionedTensor
    from pipeline.checkpoint import PermissionDeniedError as PermissionDeniedError
    from pipeline.checkpoint import ResourceExhaustedError as ResourceExhaustedError
    from pipeline.checkpoint import RestorePlan as RestorePlan
    from pipeline.checkpoint import Saver as Saver
    from pipeline.checkpoint import SaverDef as SaverDef
    from pipeline.checkpoint import UnimplementedError as UnimplementedError
    from pipeline.checkpoint import checkpoint_exists as checkpoint_exists
    from pipeline.checkpoint import compare_checkpoints as compare_checkpoints
    from pipeline.checkpoint import get_checkpoint_state as get_checkpoint_state
    from pipeline.checkpoint import get_unique_variable as get_unique_variable
    from pipeline.checkpoint import get_variables_by_name as get_variables_by_name
    from pipeline.checkpoint import get_variables_by_suffix as get_variables_by_suffix
    from pipeline.checkpoint import get_variables_to_restore as get_variables_to_restore
    from pipeline.checkpoint import init_from_checkpoint as init_from_checkpoint
    from pipeline.checkpoint import latest_checkpoint as latest_checkpoint
    from pipeline.checkpoint import list_variables as list_variables
    from pipeline.checkpoint import load_checkpoint as load_checkpoint
    from pipeline.checkpoint import load_variable as load_variable
    from pipeline.checkpoint import plan_restore as plan_restore
    from pipeline.checkpoint import remove_checkpoint as remove_checkpoint
    from pipeline.checkpoint import update_checkpoint_state as update_checkpoint_state
    from pipeline.checkpoint import variables_to_restore as variables_to_restore
    from pipeline.checkpoint import write_bundle as write_bundle
    from pipeline.checkpoint import write_object_checkpoint as write_object_checkpoint
    from pipeline.data import BatchIndices as BatchIndices
    from pipeline.data import DataError as DataError
    from pipeline.data import DataSet as DataSet
    from pipeline.data import DataSets as DataSets
    from pipeline.data import read_data_sets as read_data_sets
    from pipeline.errors import PipelineError as PipelineError
    from pipeline.evaluate import Evaluation as Evaluation
    from pipeline.evaluate import score_logits as score_logits
    from pipeline.execution import ExecutionError as ExecutionError
    from pipeline.execution import Graph as Graph
    from pipeline.execution import GraphFunction as GraphFunction
    from pipeline.execution import import_graph_def as import_graph_def
    from pipeline.execution import import_meta_graph as import_meta_graph
    from pipeline.execution import supported_ops as supported_ops
    from pipeline.execution import tensor_shapes as tensor_shapes
    from pipeline.graph import GraphError as GraphError
    from pipeline.graph import convert_variables_to_constants as convert_variables_to_constants
    from pipeline.graph import decode_tensor as decode_tensor
    from pipeline.graph import encode_tensor as encode_tensor
    from pipeline.graph import extract_sub_graph as extract_sub_graph
    from pipeline.graph import load_graph as load_graph
    from pipeline.graph import load_meta_graph as load_meta_graph
    from pipeline.graph import save_graph as save_graph
    from pipeline.graph import save_meta_graph as save_meta_graph
    from pipeline.lowering import LoweringError as LoweringError
    from pipeline.lowering import export_meta_graph as export_meta_graph
    from pipeline.lowering import freeze as freeze
    from pipeline.lowering import from_nnx as from_nnx
    from pipeline.scopes import AUTO_REUSE as AUTO_REUSE
    from pipeline.scopes import ExponentialMovingAverage as ExponentialMovingAverage
    from pipeline.scopes import GraphKeys as GraphKeys
    from pipeline.scopes import ScopeError as ScopeError
    from pipeline.scopes import ScopeKeyError as ScopeKeyError
    from pipeline.scopes import ScopeNestingError as ScopeNestingError
    from pipeline.scopes import ScopeTypeError as ScopeTypeError
    from pipeline.scopes import TrainableVariable as TrainableVariable
    from pipeline.scopes import Transformed as Transformed
    from pipeline.scopes import UntrainableVariable as UntrainableVariable
    from pipeline.scopes import Variable as Variable
    from pipeline.scopes import VariableScope as VariableScope
    from pipeline.scopes import VariableSpec as VariableSpec
    from pipeline.scopes import VariableStore as VariableStore
    from pipeline.scopes import add_to_collection as add_to_collection
    from pipeline.scopes import constant_initializer as constant_initializer
    from pipeline.scopes import current_name_scope as current_name_scope
    from pipeline.scopes import current_store as current_store
    from pipeline.scopes import ema_decay as ema_decay
    from pipeline.scopes import ema_update as ema_update
    from pipeline.scopes import get_collection as get_collection
    from pipeline.scopes import get_local_variable as get_local_variable
    from pipeline.scopes import get_module as get_module
    from pipeline.scopes import get_regularization_loss as get_regularization_loss
    from pipeline.scopes import get_regularization_losses as get_regularization_losses
    from pipeline.scopes import get_variable as get_variable
    from pipeline.scopes import get_variable_scope as get_variable_scope
    from pipeline.scopes import global_variables as global_variables
    from pipeline.scopes import glorot_normal_initializer as glorot_normal_initializer
    from pipeline.scopes import glorot_uniform_initializer as glorot_uniform_initializer
    from pipeline.scopes import he_normal as he_normal
    from pipeline.scopes import he_uniform as he_uniform
    from pipeline.scopes import l1_l2_regularizer as l1_l2_regularizer
    from pipeline.scopes import l1_regularizer as l1_regularizer
    from pipeline.scopes import l2_regularizer as l2_regularizer
    from pipeline.scopes import local_variables as local_variables
    from pipeline.scopes import make_template as make_template
    from pipeline.scopes import moving_average_variables as moving_average_variables
    from pipeline.scopes import name_scope as name_scope
    from pipeline.scopes import next_key as next_key
    from pipeline.scopes import no_regularizer as no_regularizer
    from pipeline.scopes import ones_initializer as ones_initializer
    from pipeline.scopes import orthogonal_initializer as orthogonal_initializer
    from pipeline.scopes import random_normal_initializer as random_normal_initializer
    from pipeline.scopes import random_uniform_initializer as random_uniform_initializer
    from pipeline.scopes import regularization_loss as regularization_loss
    from pipeline.scopes import reset_default_store as reset_default_store
    from pipeline.scopes import trainable_variables as trainable_variables
    from pipeline.scopes import transform as transform
    from pipeline.scopes import truncated_normal_initializer as truncated_normal_initializer
    from pipeline.scopes import variable_scope as variable_scope
    from pipeline.scopes import variance_scaling_initializer as variance_scaling_initializer
    from pipeline.scopes import xavier_initializer as xavier_initializer
    from pipeline.scopes import zeros_initializer as zeros_initializer

    load_saved_model = execution.import_saved_model

ROOMS = (
    "checkpoint", "data", "evaluate", "execution", "graph", "lowering", "model", "persistence",
    "scopes", "train", "verification",
)
NAMES = {
    "checkpoint": (
        "AbortedError", "checkpoint_exists", "CheckpointError", "CheckpointReader",
        "CheckpointState", "compare_checkpoints", "DataLossError", "get_checkpoint_state",
        "get_unique_variable", "get_variables_by_name", "get_variables_by_suffix",
        "get_variables_to_restore", "init_from_checkpoint", "InvalidArgumentError",
        "InvalidTypeError", "latest_checkpoint", "list_variables", "load_checkpoint",
        "load_variable", "NewCheckpointReader", "NotFoundError", "PartitionedTensor",
        "PermissionDeniedError", "plan_restore", "remove_checkpoint",
        "ResourceExhaustedError", "RestorePlan", "Saver", "SaverDef", "UnimplementedError",
        "update_checkpoint_state", "variables_to_restore", "write_bundle",
        "write_object_checkpoint",
    ),
    "scopes": (
        "add_to_collection", "AUTO_REUSE", "constant_initializer", "current_name_scope",
        "current_store", "ema_decay", "ema_update", "ExponentialMovingAverage",
        "get_collection", "get_local_variable", "get_module", "get_regularization_loss",
        "get_regularization_losses", "get_variable", "get_variable_scope",
        "global_variables", "glorot_normal_initializer", "glorot_uniform_initializer",
        "GraphKeys", "he_normal", "he_uniform", "l1_l2_regularizer", "l1_regularizer",
        "l2_regularizer", "local_variables", "make_template", "moving_average_variables",
        "name_scope", "next_key", "no_regularizer", "ones_initializer",
        "orthogonal_initializer", "random_normal_initializer", "random_uniform_initializer",
        "regularization_loss", "reset_default_store", "ScopeError", "ScopeKeyError",
        "ScopeNestingError", "ScopeTypeError", "trainable_variables", "TrainableVariable",
        "transform", "Transformed", "truncated_normal_initializer", "UntrainableVariable",
        "Variable", "variable_scope", "VariableScope", "VariableSpec", "VariableStore",
        "variance_scaling_initializer", "xavier_initializer", "zeros_initializer",
    ),
    "lowering": (
        "LoweringError", "export_meta_graph", "freeze", "from_nnx",
    ),
    "execution": (
        "ExecutionError", "GraphFunction", "Graph", "import_graph_def", "import_meta_graph",
        "load_saved_model", "supported_ops", "tensor_shapes",
    ),
    "graph": (
        "GraphError", "convert_variables_to_constants", "decode_tensor", "encode_tensor",
        "extract_sub_graph", "load_graph", "load_meta_graph", "save_graph",
        "save_meta_graph",
    ),
    "data": (
        "BatchIndices", "DataError", "DataSet", "DataSets", "read_data_sets",
    ),
    "evaluate": (
        "Evaluation", "score_logits",
    ),
    "errors": (
        "PipelineError",
    ),
}
RENAMED = {"load_saved_model": "import_saved_model"}   # a verb that says that it reads a disk
_HOME = {name: room for room, names in NAMES.items() for name in names}

__all__ = sorted([*ROOMS, *_HOME])


def __getattr__(name: str) -> Any:
    try:
        if name in ROOMS:
            return import_module(f"pipeline.{name}")
        if name in _HOME:
            room = import_module(f"pipeline.{_HOME[name]}")
            return getattr(room, RENAMED.get(name, name))
    except ModuleNotFoundError as missing:
        told = extras.explain(missing, f"jaxfrost.{name}")
        if told is None:
            raise
        raise told from missing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
