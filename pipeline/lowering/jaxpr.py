"""JAX's jaxpr → our flat program; this file and `written_out` know JAX's internals.

What JAX says by nesting (`jit`, `custom_jvp_call`, `checkpoint`, …) is written out in place, with
the name scopes joined; loops and conditionals keep their bodies as programs of their own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from pipeline.lowering import sources
from pipeline.lowering.errors import LoweringError
from pipeline.lowering.ir import Array, DType, Equation, Program, Value
from pipeline.lowering.symbolic import explained, is_array, symbolic_inputs
from pipeline.lowering.written_out import is_key, written_out

_spec: Callable[..., jax.ShapeDtypeStruct] = jax.ShapeDtypeStruct   # it has no types of its own

# primitives that only call a jaxpr, and the parameter that holds it
_CALLS = {
    "jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr", "remat": "jaxpr", "checkpoint": "jaxpr",
    "remat2": "jaxpr", "composite": "jaxpr", "custom_vmap_call": "call", "linear_call": "callee",
}
# primitives that give back what they take
_IDENTITIES = ("stop_gradient", "copy", "copy_p", "optimization_barrier", "name", "device_put",
               "sharding_constraint", "layout_constraint", "pvary", "reshard",
               "random_wrap", "random_unwrap", "random_clone")


class Traced(NamedTuple):
    """A function as a program; its inputs are the variables and then the inputs."""

    program: Program
    variables: dict[str, Value]
    inputs: dict[str, Value]


def trace(
    function: Callable[..., Any],
    variables: Any,
    inputs: Mapping[str, jax.ShapeDtypeStruct],
    *,
    constraints: Sequence[str] = (),
    shapes_only: bool = False,
) -> Traced:
    """Trace `function(variables, *inputs)` with symbolic dimensions.

    Args:
        function: pure, of arrays.
        variables: a pytree; an array's name is its path joined by "/", other leaves are left alone.
        inputs: shape and dtype by name. None as first dimension is the batch; a string anywhere is
            a dimension of that name.
        constraints: what is known of named dimensions, such as `t <= 64`.
        shapes_only: leave the variables' values out, so that nothing is computed from them.

    Raises:
        LoweringError: a shape is not of that form, or the function needs a dimension's number.
    """
    everything, tree = jax.tree_util.tree_flatten_with_path(variables)
    leaves = [(path, leaf) for path, leaf in everything if is_array(leaf)]
    arguments = [_spec(leaf.shape, leaf.dtype) for _, leaf in leaves]

    @functools.wraps(function)    # by whose name JAX's errors call it
    def whole(arrays: Sequence[Any], *inputs: Any) -> Any:
        rest = iter(arrays)
        parts = [next(rest) if is_array(leaf) else leaf for _, leaf in everything]
        return function(jax.tree_util.tree_unflatten(tree, parts), *inputs)

    specs = symbolic_inputs(inputs, constraints)
    try:
        closed = jax.make_jaxpr(whole)(arguments, *specs)
    except Exception as error:
        told = explained(error, specs, lambda fixed: jax.eval_shape(whole, arguments, *fixed))
        if told is error:
            raise
        raise told from error
    flattener = _Flattener()
    program = flattener.program(closed)
    names = ["/".join(path_parts(path)) for path, _ in leaves]
    named = dict(zip([*names, *inputs], program.inputs, strict=True))
    if len(named) < len(program.inputs):
        raise LoweringError(f"variables and inputs share a name: {sorted([*names, *inputs])}")
    for name, value in named.items():
        value.name = name
        wanted = inputs[name].dtype if name in inputs else value.dtype
        if isinstance(wanted, np.dtype) and wanted != value.dtype:    # a random key's is none
            raise LoweringError(f"input {name}: {wanted} is asked for, JAX computes in "
                                f"{value.dtype}; turn on jax_enable_x64 or ask for {value.dtype}")
    if not shapes_only:
        for name, (_, leaf) in zip(names, leaves, strict=True):
            named[name].constant = np.asarray(leaf).astype(named[name].dtype, copy=False)
    return Traced(program, {name: named[name] for name in names},
                  {name: named[name] for name in inputs})


def path_parts(path: Sequence[Any]) -> tuple[str, ...]:
    """The keys, attributes and indices on the way to a leaf of a pytree."""
    return tuple(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))))
                 for key in path)


class _Flattener:
    """Writes nested jaxprs out in one list of equations."""

    def program(self, closed: ClosedJaxpr | Jaxpr) -> Program:
        """A jaxpr as a program of its own."""
        jaxpr, constants = _open(closed)
        inputs = [self._fresh(variable) for variable in jaxpr.invars]
        equations: list[Equation] = []
        outputs = self._inline(jaxpr, constants, inputs, (), equations, str)
        return Program(inputs, outputs, equations)

    def _inline(
        self, jaxpr: Jaxpr, constants: Sequence[Any], inputs: Sequence[Value],
        scope: tuple[str, ...], equations: list[Equation], caller: Callable[[], str],
    ) -> list[Value]:
        values = dict(zip(jaxpr.invars, inputs, strict=True))
        for variable, array in zip(jaxpr.constvars, constants, strict=True):
            values[variable] = self._known(variable, array)

        def read(atom: Any) -> Value:
            return self._known(atom, atom.val) if isinstance(atom, Literal) else values[atom]

        for eqn in jaxpr.eqns:
            arguments = [read(atom) for atom in eqn.invars]
            name, path = eqn.primitive.name, scope + _scopes(eqn)
            source = _source(eqn, caller)
            if name in _CALLS and _CALLS[name] in eqn.params:
                inner, known = _open(eqn.params[_CALLS[name]])
                results = self._inline(inner, known, arguments, path, equations, source)
            elif name in _IDENTITIES:
                results = arguments
            elif (written := written_out(
                    eqn, [each.constant for each in arguments])) is not None:
                inner, known = _open(written)
                results = self._inline(inner, known, arguments, path, equations, source)
            else:
                results = [self._fresh(variable) for variable in eqn.outvars]
                equations.append(Equation(name, arguments, results, self._params(eqn.params),
                                          "/".join(path), source))
            values.update(zip(eqn.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters, with jaxprs as programs."""
        return {key: self._param(value) for key, value in params.items()}

    def _param(self, value: Any) -> Any:
        if isinstance(value, (ClosedJaxpr, Jaxpr)):
            return self.program(value)
        if isinstance(value, np.integer):
            return int(value)
        if isinstance(value, tuple):
            parts = [self._param(each) for each in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        return value

    def _fresh(self, variable: Any) -> Value:
        aval = variable.aval
        shape = tuple(_plain(size) for size in getattr(aval, "shape", ()))
        if is_key(variable):
            return Value((*shape, *aval.dtype._impl.key_shape), np.dtype(np.uint32))
        return Value(shape, getattr(aval, "dtype", np.dtype(np.float32)))

    def _known(self, atom: Any, array: Any) -> Value:
        value = self._fresh(atom)
        value.constant = _to_numpy(array, value.dtype)
        return value


def _open(closed: Any) -> tuple[Jaxpr, Sequence[Any]]:
    """The jaxpr and its constants; from JAX 0.11 on a closed jaxpr is one jaxpr with `consts`."""
    return getattr(closed, "jaxpr", closed), getattr(closed, "consts", ())


def _plain(size: Any) -> Any:
    return int(size) if isinstance(size, (int, np.integer)) else size


def _to_numpy(array: Any, dtype: DType) -> Array:
    is_key = hasattr(getattr(array, "dtype", None), "_impl")
    return np.asarray(jax.random.key_data(array) if is_key else array, dtype)


def _scopes(eqn: Any) -> tuple[str, ...]:
    """The user's name scopes; transformations (`vmap`, `jvp`) also stand on the stack.

    Equinox names its classes there, `eqx.nn.Linear`; the attributes' names say more.
    """
    return tuple(part for entry in eqn.source_info.name_stack.stack
                 if type(entry).__name__ == "Scope" for part in entry.name.split("/")
                 if not part.startswith("eqx."))


def _source(eqn: Any, caller: Callable[[], str]) -> Callable[[], str]:
    """The user's line; that of the caller where JAX knows none but this package's."""
    return lambda: sources.of_equation(eqn) or caller()
