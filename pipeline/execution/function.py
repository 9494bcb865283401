"""A graph as a JAX function of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from google.protobuf.message import Message

import pipeline.execution.rules  # noqa: F401 - fills the registry
from pipeline import dtypes, graph
from pipeline.execution.compiler import Compiler
from pipeline.execution.errors import ExecutionError
from pipeline.execution.program import Program, Run
from pipeline.execution.values import DEAD, jax_dtype, to_jax
from pipeline.execution.wires import Wire, Wires, wires_of
from pipeline.graph import Ref
from pipeline.graph.tensors import Shape

# before this producer `shape {}` meant an unknown rank: tensorflow/core/ops/array_ops.cc
_FIRST_SCALAR_PLACEHOLDER = 22


class Input(NamedTuple):
    """What a call must give for one input; None where the graph does not say."""

    name: str
    shape: Shape | None
    dtype: int | None

    def accept(self, value: Any) -> Any:
        """The value as an array of the input's dtype.

        Raises:
            ExecutionError: shape or dtype are not the input's.
        """
        array = value if isinstance(value, jax.Array) else np.asarray(value)
        if self.dtype is not None:
            array = self._convert(array)
        if self.shape is not None and not _compatible(array.shape, self.shape):
            expected = tuple("?" if size is None else size for size in self.shape)
            raise ExecutionError(f"Cannot feed value of shape {array.shape} for Tensor "
                                 f"{self.name!r}, which has shape {expected}".replace("'?'", "?"))
        return array

    def _convert(self, array: Any) -> Any:
        wanted = dtypes.to_numpy(self.dtype or 0)
        if array.dtype == wanted:
            return array
        if isinstance(array, jax.Array):
            wanted = jax_dtype(self.dtype or 0)
        if not np.can_cast(array.dtype, wanted, "same_kind") and array.size:
            raise ExecutionError(f"input {self.name!r} is {array.dtype}; expected {wanted}")
        return array.astype(wanted)


class Function:
    """Outputs of a graph as a function of its inputs, compiled by XLA once per shapes.

    It may be called inside `jax.jit`, `jax.grad` and `jax.vmap`. `apply` is the same function,
    uncompiled, with the large constants as its first argument.

    Attributes:
        inputs: names of the tensors that a call takes, in order.
        outputs: names of the tensors that a call returns, in order.
        constants: the graph's large constants by node name.
        static_inputs: names of the inputs that must be known before running (a shape, an axis):
            a call compiles anew for every value of theirs.
    """

    def __init__(
        self, program: Program, inputs: Sequence[Input], outputs: Sequence[str]
    ) -> None:
        self.inputs = tuple(each.name for each in inputs)
        self.outputs = tuple(outputs)
        self.constants: Mapping[str, Any] = program.constants
        self.static_inputs = tuple(self.inputs[index] for index in sorted(program.static_inputs))
        self._checks = tuple(inputs)
        self._program = program
        self._on_device: dict[str, jax.Array] | None = None
        self._compiled = jax.jit(self._call, static_argnums=0)

    def __call__(self, *inputs: Any, key: Any = None) -> tuple[Any, ...]:
        """The outputs, one array each.

        Args:
            *inputs: arrays in the order of `inputs`.
            key: a JAX random key for the graph's random ops; without one they draw from the seeds
                in the graph, the same numbers at every call.

        Raises:
            ExecutionError: an input has another shape or dtype than its placeholder, or the graph
                cannot compute with the shapes given.
        """
        values = self._accept(inputs)
        known = {index: _Known(value) for index in self._program.static_inputs
                 if not isinstance(value := values[index], jax.core.Tracer)}
        rest = [None if index in known else value for index, value in enumerate(values)]
        if self._on_device is None:
            with jax.ensure_compile_time_eval():
                self._on_device = {name: to_jax(value) for name, value in self.constants.items()}
        result = self._compiled(tuple(sorted(known.items())), self._on_device, rest, key)
        return tuple(result)

    def apply(self, constants: Mapping[str, Any], *inputs: Any, key: Any = None) -> tuple[Any, ...]:
        """The outputs with `constants` in the place of the graph's own, uncompiled.

        Raises:
            ExecutionError: as a call does.
        """
        return tuple(self._run(constants, self._accept(inputs), key))

    def _call(
        self, known: tuple[tuple[int, _Known], ...], constants: Mapping[str, Any],
        values: Sequence[Any], key: Any,
    ) -> list[Any]:
        merged = list(values)
        for index, each in known:
            merged[index] = each.value
        return self._run(constants, merged, key)

    def _run(self, constants: Mapping[str, Any], values: Sequence[Any], key: Any) -> list[Any]:
        merged = [value if index in self._program.static_inputs else to_jax(value)
                  for index, value in enumerate(values)]
        results = self._program.run(Run(constants=constants, key=key), merged)
        for name, result in zip(self.outputs, results, strict=True):
            if result is DEAD:
                raise ExecutionError(f"output {name!r} lies on a branch that is not taken")
        return results

    def _accept(self, inputs: Sequence[Any]) -> list[Any]:
        if len(inputs) != len(self.inputs):
            raise ExecutionError(f"{len(inputs)} inputs given; expected {len(self.inputs)}: "
                                 f"{', '.join(self.inputs) or 'none'}")
        return [check.accept(value) for check, value in zip(self._checks, inputs, strict=True)]


class _Known:
    """A NumPy array that can be part of a compiled function's cache key."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def _key(self) -> tuple[Any, ...]:
        return self.value.shape, str(self.value.dtype), self.value.tobytes()

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self._key() == other._key()

    def __lt__(self, other: _Known) -> bool:
        return self._key() < other._key()


def function(
    graph_def: Message,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    given: Mapping[str, Any] | None = None,
    lifted: Callable[[str], bool] = lambda name: False,
) -> Function:
    """Outputs of a GraphDef as a function of its inputs.

    Args:
        graph_def: a GraphDef; variables must be constants (a frozen graph).
        inputs: names of tensors (`x` or `x:0`) in the order of the arguments. Any tensor of the
            graph may be one; the graph is cut there.
        outputs: names of tensors in the order of the results.
        given: values of tensors that are fixed for good, `{"is_training": False}`.
        lifted: says of a constant's name whether it becomes one of `constants` however small it is.

    Raises:
        ExecutionError: ops that are not supported, all of them with their nodes in one message;
            placeholders that the outputs need and that are neither inputs nor given.
        GraphError: no such tensor, a cycle, a malformed node.
    """
    wires = wires_of(graph_def.node)
    wires = _fix(wires, given or {})
    refs = [_tensor(name, wires) for name in inputs]
    program = Compiler(lifted).compile(wires, refs, [_tensor(name, wires) for name in outputs])
    producer = graph_def.versions.producer
    checks = [describe_input(name, ref, wires, producer)
              for name, ref in zip(inputs, refs, strict=True)]
    return Function(program, checks, outputs)


def describe_input(name: str, ref: Ref, wires: Wires, producer: int) -> Input:
    """What the graph says of a tensor that is to be fed: placeholders tell, others do not."""
    wire = wires[ref.node]
    if not wire.op.startswith("Placeholder") or wire.proto is None:
        return Input(name, None, None)
    attrs = graph.read_attrs(wire.proto)
    shape = attrs.get("shape")
    if shape == () and producer < _FIRST_SCALAR_PLACEHOLDER:
        shape = None
    return Input(name, shape, attrs.get("dtype"))


def _tensor(name: str, wires: Wires) -> Ref:
    ref = graph.parse_ref(name)
    if ref.output == graph.CONTROL:
        raise ExecutionError(f"{name!r} is no tensor; expected 'name' or 'name:index'")
    if ref.node not in wires:
        raise graph.missing_node(ref.node, wires)
    return ref


def _fix(wires: Wires, given: Mapping[str, Any]) -> Wires:
    """The wires with constants for the tensors that are given."""
    fixed = dict(wires)
    for name, value in given.items():
        ref = _tensor(name, wires)
        if ref.output != 0:
            raise ExecutionError(f"{name!r} cannot be given; only the first output of a node can")
        constant = describe_input(name, ref, wires, 0)._replace(shape=None).accept(value)
        fixed[ref.node] = Wire(ref.node, "Const", (), None, {"value": np.asarray(constant)})
    return fixed


def _compatible(shape: Iterable[int], expected: Shape) -> bool:
    sizes = tuple(shape)
    return len(sizes) == len(expected) and all(
        want is None or want == size for size, want in zip(sizes, expected, strict=True))
