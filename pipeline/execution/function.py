"""A frozen graph as a JAX function of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from google.protobuf.message import Message

import pipeline.execution.rules  # noqa: F401 - fills the registry
from pipeline import dtypes, graph
from pipeline.execution import legality
from pipeline.execution.compiled import Compiled
from pipeline.execution.compiler import Compiler
from pipeline.execution.custom_gradients import gradients_of
from pipeline.execution.errors import ExecutionError, NeedsWide
from pipeline.execution.library import Library
from pipeline.execution.program import Program
from pipeline.execution.values import (
    fits_narrow,
    is_static,
    is_wide,
    jax_dtype,
    narrowed,
    to_jax,
)
from pipeline.execution.wires import Wire, Wires, check_names, wires_of
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
        self.check_shape(array.shape)
        return array

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Refuses a shape that is not the input's.

        Raises:
            ExecutionError: it is not.
        """
        if self.shape is not None and not _compatible(shape, self.shape):
            raise ExecutionError(f"Cannot feed value of shape {shape} for Tensor "
                                 f"{self.name}, which has shape {self.shape}")

    def _convert(self, array: Any) -> Any:
        number = self.dtype or 0
        if number in (dtypes.DT_RESOURCE, dtypes.DT_VARIANT):
            raise ExecutionError(f"input {self.name!r} is {dtypes.name(number)}; no array can be "
                                 "fed to it")
        try:
            wanted = dtypes.to_numpy(number)
        except TypeError as error:
            raise ExecutionError(f"input {self.name!r}: {error}") from None
        if array.dtype == wanted or (array.dtype.kind in "SU" and wanted == np.object_):
            return array.astype(wanted) if array.dtype.kind == "S" else _as_bytes(array, wanted)
        if isinstance(array, jax.Array) and wanted != np.object_:
            wanted = jax_dtype(number)
        is_text = wanted == np.object_
        if array.dtype.kind in "iu" and wanted.kind in "iu" \
                and not isinstance(array, jax.core.Tracer):
            _check_range(self.name, array, wanted)
            return array.astype(wanted)
        if is_text or (array.size and not np.can_cast(array.dtype, wanted, "same_kind")):
            raise ExecutionError(f"input {self.name!r} is {array.dtype}; "
                                 f"expected {'string' if is_text else wanted}")
        return array.astype(wanted)


class Function:
    """Outputs of a frozen graph as a function of its inputs, compiled by XLA once per shapes.

    It may be called inside `jax.jit`, `jax.grad` and `jax.vmap`. `apply` is the same function,
    uncompiled, with the constants that are arguments as its first.

    Attributes:
        inputs: names of the tensors that a call takes, in order.
        outputs: names of the tensors that a call returns, in order.
        constants: arrays of floats, and other large ones, by node name.
        static_inputs: names of the inputs that must be known before running (a shape, an axis):
            a call compiles anew for every value of theirs.
    """

    def __init__(self, program: Program, inputs: Sequence[Input], outputs: Sequence[str]) -> None:
        self.inputs = tuple(each.name for each in inputs)
        self.outputs = tuple(outputs)
        self.constants: Mapping[str, Any] = program.constants
        self.static_inputs = tuple(self.inputs[index] for index in sorted(program.static_inputs))
        self._checks = tuple(inputs)
        self._compiled = Compiled(program)

    @property
    def compilations(self) -> int:
        """For how many different values that shape what is computed it was compiled so far."""
        return self._compiled.compilations

    def __call__(self, *inputs: Any, key: Any = None) -> tuple[Any, ...]:
        """The outputs, one array each (strings as NumPy arrays of bytes).

        Args:
            *inputs: arrays in the order of `inputs`.
            key: a JAX random key for the graph's random ops; without one they draw from the seeds
                in the graph, the same numbers at every call.

        Raises:
            ExecutionError: an input has another shape or dtype than its placeholder, or the graph
                cannot compute with the shapes given.
        """
        outputs, _ = self._compiled({}, accept_all(self._checks, inputs), key)
        return tuple(map(as_array, self.outputs, outputs))

    def apply(self, constants: Mapping[str, Any], *inputs: Any, key: Any = None) -> tuple[Any, ...]:
        """The outputs with `constants` in the place of the graph's own, uncompiled.

        Raises:
            ExecutionError: as a call does.
        """
        outputs, _ = self._compiled.apply(constants, {}, accept_all(self._checks, inputs), key)
        return tuple(map(as_array, self.outputs, outputs))


def function(
    graph_def: Message,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    given: Mapping[str, Any] | None = None,
) -> Function:
    """Outputs of a GraphDef as a function of its inputs.

    Args:
        graph_def: a frozen graph; one with variables is for `import_graph_def`.
        inputs: names of tensors (`x` or `x:0`) in the order of the arguments. Any tensor of the
            graph may be one; the graph is cut there.
        outputs: names of tensors in the order of the results.
        given: values of tensors that are fixed for good, `{"is_training": False}`.

    Raises:
        ExecutionError: ops that are not supported, all of them with their nodes in one message;
            placeholders that the outputs need and that are neither inputs nor given; variables.
        GraphError: no such tensor, a cycle, a malformed node.
    """
    check_names(inputs=inputs, outputs=outputs)
    legality.check_versions(graph_def.versions)
    legality.check_names(graph_def.node)
    wires = fix(wires_of(graph_def.node), given or {})
    refs = [tensor_ref(name, wires) for name in inputs]
    program = Compiler(Library(
        graph_def.library.function, gradients_of(graph_def.library, None))).compile(
        wires, refs, [tensor_ref(name, wires) for name in outputs])
    if program.variables:
        raise ExecutionError(f"graph has variables ({', '.join(list(program.variables)[:5])}, …); "
                             "freeze it, or use import_graph_def or import_meta_graph")
    producer = graph_def.versions.producer
    checks = [describe_input(name, ref, wires, producer)
              for name, ref in zip(inputs, refs, strict=True)]
    return Function(program, checks, outputs)


def _check_range(name: str, array: Any, wanted: np.dtype[Any]) -> None:
    """Raises where integers are not a narrower type's."""
    if not array.size or np.can_cast(array.dtype, wanted):
        return
    limits, low, high = np.iinfo(wanted), int(array.min()), int(array.max())
    if low < limits.min or high > limits.max:
        raise ExecutionError(f"input {name!r} has values from {low} to {high}; expected {wanted}, "
                             f"{limits.min} to {limits.max}")


def accept_all(checks: Sequence[Input], inputs: Sequence[Any]) -> list[Any]:
    """The inputs of a call, checked.

    Raises:
        ExecutionError: their number, shapes or dtypes are not what the graph takes.
    """
    if len(inputs) != len(checks):
        expected = ", ".join(check.name for check in checks) or "none"
        raise ExecutionError(f"{len(inputs)} inputs given; expected {len(checks)}: {expected}")
    return [check.accept(value) for check, value in zip(checks, inputs, strict=True)]


def as_array(name: str, value: Any) -> Any:
    """An output as a JAX array; text stays NumPy.

    Raises:
        NeedsWide: it has numbers that JAX does not hold in its present mode.
    """
    if isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer):
        value = narrowed(value)
    if not is_static(value) or value.dtype == np.object_:
        return value
    if not is_wide() and not fits_narrow(value):
        raise NeedsWide(f"output {name} is {value.dtype} with values that do not fit into 32 "
                        "bits; turn on jax_enable_x64, or fetch it with `run` of import_graph_def")
    return to_jax(value)


def describe_input(name: str, ref: Ref, wires: Wires, producer: int) -> Input:
    """What the graph says of a tensor that is to be fed: placeholders tell, others do not."""
    wire = wires[ref.node]
    if not wire.op.startswith("Placeholder") or wire.proto is None:
        return Input(name, None, None)
    attrs = graph.read_attrs(wire.proto)
    if "dtype" not in attrs:
        raise ExecutionError(f"{wire.op} node {ref.node!r} lacks attr 'dtype'")
    shape = attrs.get("shape")
    if shape == () and producer < _FIRST_SCALAR_PLACEHOLDER:
        shape = None
    return Input(name, shape, attrs.get("dtype"))


def tensor_ref(name: str, wires: Wires) -> Ref:
    """The reference that a tensor's name stands for.

    Raises:
        ExecutionError: it names no tensor.
        GraphError: there is no such node.
    """
    ref = graph.parse_ref(name)
    if ref.output == graph.CONTROL:
        raise ExecutionError(f"{name!r} is no tensor; expected 'name' or 'name:index'")
    if ref.node not in wires:
        raise graph.missing_node(ref.node, wires)
    return ref


def fix(wires: Wires, given: Mapping[str, Any]) -> Wires:
    """The wires with constants for the tensors that are given.

    Raises:
        ExecutionError: a name stands for a second output, or a value does not fit.
    """
    fixed = dict(wires)
    for name, value in given.items():
        ref = tensor_ref(name, wires)
        if ref.output != 0:
            raise ExecutionError(f"{name!r} cannot be given; only the first output of a node can")
        constant = describe_input(name, ref, wires, 0)._replace(shape=None).accept(value)
        array = np.asarray(constant)
        fixed[ref.node] = Wire(ref.node, "Const", (), None, {
            "value": array, "dtype": dtypes.from_numpy(array.dtype)})
    return fixed


def _as_bytes(array: Any, wanted: np.dtype[Any]) -> Any:
    if array.dtype.kind != "U":
        return array
    encoded = np.empty(array.shape, wanted)
    encoded.ravel()[:] = [text.encode() for text in array.ravel().tolist()]
    return encoded


def _compatible(shape: Iterable[int], expected: Shape) -> bool:
    sizes = tuple(shape)
    return len(sizes) == len(expected) and all(
        want is None or want == size for size, want in zip(sizes, expected, strict=True))
