"""TensorFlow graphs as JAX functions, without TensorFlow.

`function` is the door: it compiles what some outputs need into a `Program` of steps. Read
`compiler` and `program`, then `registry`, then the families in `rules`.
"""

from pipeline.execution.abstract import tensor_shapes as tensor_shapes
from pipeline.execution.describe import Description as Description
from pipeline.execution.describe import describe as describe
from pipeline.execution.elements import Operation as Operation
from pipeline.execution.elements import Tensor as Tensor
from pipeline.execution.ends import End as End
from pipeline.execution.errors import ElementNotFound as ElementNotFound
from pipeline.execution.errors import ElementTypeError as ElementTypeError
from pipeline.execution.errors import ExecutionError as ExecutionError
from pipeline.execution.function import Function as Function
from pipeline.execution.function import function as function
from pipeline.execution.graph_function import GraphFunction as GraphFunction
from pipeline.execution.imported import Graph as Graph
from pipeline.execution.importing import import_graph_def as import_graph_def
from pipeline.execution.importing import import_meta_graph as import_meta_graph
from pipeline.execution.registry import supported_ops as supported_ops
from pipeline.execution.saved_model import import_saved_model as import_saved_model
from pipeline.execution.variable import Variable as Variable
