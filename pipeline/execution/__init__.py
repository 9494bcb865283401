"""TensorFlow graphs as JAX functions, without TensorFlow.

`function` is the door: it compiles what some outputs need into a `Program` of steps. Read
`compiler` and `program`, then `registry`, then the families in `rules`.
"""

from pipeline.execution.errors import ExecutionError as ExecutionError
from pipeline.execution.function import Function as Function
from pipeline.execution.function import function as function
from pipeline.execution.registry import supported_ops as supported_ops
