"""JAX's jaxpr → our flat program: the only file that knows JAX's internals.

What JAX says by nesting (`jit`, `custom_jvp_call`, `checkpoint`, …) is written out in place, with
the name scopes joined; loops and conditionals keep their bodies as programs of their own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax._src import source_info_util
from jax.extend.core import ClosedJaxpr, InconclusiveDimensionOperation, Jaxpr, Literal

from pipeline.lowering.errors import LoweringError
from pipeline.lowering.ir import Array, DType, Equation, Program, Value

_spec: Callable[..., jax.ShapeDtypeStruct] = jax.ShapeDtypeStruct   # it has no types of its own

BATCH = "batch"    # the symbol of a leading dimension that is not known

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
    shapes_only: bool = False,
) -> Traced:
    """Trace `function(variables, *inputs)` with symbolic dimensions.

    Args:
        function: pure, of arrays.
        variables: a pytree; an array's name is its path joined by "/", other leaves are left alone.
        inputs: shape and dtype by name. None as first dimension is the batch; a string anywhere is
            a dimension of that name.
        shapes_only: leave the variables' values out, so that nothing is computed from them.

    Raises:
        LoweringError: a shape is not of that form, or the function needs a dimension's number.
    """
    everything, tree = jax.tree_util.tree_flatten_with_path(variables)
    leaves = [(path, leaf) for path, leaf in everything if _is_array(leaf)]
    arguments = [_spec(leaf.shape, leaf.dtype) for _, leaf in leaves]

    @functools.wraps(function)    # by whose name JAX's errors call it
    def whole(arrays: Sequence[Any], *inputs: Any) -> Any:
        rest = iter(arrays)
        parts = [next(rest) if _is_array(leaf) else leaf for _, leaf in everything]
        return function(jax.tree_util.tree_unflatten(tree, parts), *inputs)

    specs = symbolic_inputs(inputs)
    try:
        closed = jax.make_jaxpr(whole)(arguments, *specs)
    except InconclusiveDimensionOperation as error:
        raise _needs_a_size(error) from None
    except TypeError as error:
        if "_DimExpr" not in str(error):    # as of `range(x.shape[0])`
            raise
        raise _needs_a_size(error) from error    # whose traceback has the line
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


def _needs_a_size(error: Exception) -> LoweringError:
    return LoweringError("the function's Python depends on the size of a dimension that is not "
                         f"known; give that input a fixed shape: {error}")


def symbolic_inputs(inputs: Mapping[str, jax.ShapeDtypeStruct]) -> list[jax.ShapeDtypeStruct]:
    """The inputs' shapes with `None` and names turned into symbolic dimensions of one scope."""
    if not isinstance(inputs, Mapping):
        raise LoweringError(f"inputs: {inputs!r}; expected shape and dtype by name, such as "
                            "{'input': jax.ShapeDtypeStruct((None, 784), jnp.float32)}")
    scope = jax.export.SymbolicScope()
    specs = []
    for name, spec in inputs.items():
        if not _is_array(spec):
            raise LoweringError(f"input {name}: {spec!r}; expected shape and dtype, such as "
                                "jax.ShapeDtypeStruct((None, 784), jnp.float32)")
        words = []
        for axis, size in enumerate(spec.shape):
            if size is None and axis == 0:
                words.append(BATCH)
            elif isinstance(size, (int, np.integer, str)):
                words.append(str(size))
            else:
                raise LoweringError(f"input {name}: dimension {axis} of {spec.shape} is {size!r}; "
                                    "expected a number, a name, or None for the leading batch")
        shape = jax.export.symbolic_shape(", ".join(words), scope=scope) if words else ()
        specs.append(_spec(shape, spec.dtype))
    return specs


def path_parts(path: Sequence[Any]) -> tuple[str, ...]:
    """The keys, attributes and indices on the way to a leaf of a pytree."""
    return tuple(str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))))
                 for key in path)


# what makes random numbers: the method of the key's implementation that does
_RANDOM = {"random_seed": "seed", "random_bits": "random_bits", "random_split": "split",
           "random_fold_in": "fold_in"}
# what only moves keys: the parameters that need one more entry for the numbers a key is made of
_MOVES: dict[str, dict[str, Callable[[Any, int], Any]]] = {
    "slice": {"start_indices": lambda p, _: (*p, 0), "limit_indices": lambda p, size: (*p, size),
              "strides": lambda p, _: p and (*p, 1)},
    "squeeze": {}, "reshape": {}, "concatenate": {}, "stack": {}, "unstack": {},
    "scan": {}, "while": {}, "cond": {},
}


def _is_array(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _is_key(atom: Any) -> bool:
    return hasattr(getattr(atom.aval, "dtype", None), "_impl")


def _random_bits_of_keys(eqn: Any) -> ClosedJaxpr:
    """What a random primitive does with the numbers that its keys are made of."""
    made, taken = eqn.outvars[0].aval, [atom.aval for atom in eqn.invars]
    impl = made.dtype._impl if eqn.primitive.name != "random_bits" else taken[0].dtype._impl
    method, params = getattr(impl, _RANDOM[eqn.primitive.name]), eqn.params

    def one(*arrays: Any) -> Any:
        if "bit_width" in params:
            return method(*arrays, params["bit_width"], params["shape"])
        return method(*arrays, params["shape"]) if "shape" in params else method(*arrays)

    for _ in taken[0].shape:
        one = jax.vmap(one)
    specs = [_spec((*aval.shape, *impl.key_shape), np.uint32) if _is_key(atom)
             else _spec(aval.shape, aval.dtype)
             for atom, aval in zip(eqn.invars, taken, strict=True)]
    return jax.make_jaxpr(one)(*specs)


def _on_key_data(name: str, eqn: Any) -> tuple[str, Any]:
    """An equation that moves keys, as one that moves their numbers; others get no rule."""
    if name not in _MOVES:
        return f"{name} of random keys", eqn
    dtype = next(atom.aval.dtype for atom in (*eqn.outvars, *eqn.invars) if _is_key(atom))
    size, = dtype._impl.key_shape
    params = {key: change(eqn.params[key], size) for key, change in _MOVES[name].items()}
    return name, eqn.replace(params={**eqn.params, **params})


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
            elif name in _RANDOM:
                closed = _random_bits_of_keys(eqn)
                results = self._inline(closed.jaxpr, closed.consts, arguments, path, equations,
                                       source)
            else:
                if any(_is_key(atom) for atom in (*eqn.invars, *eqn.outvars)):
                    name, eqn = _on_key_data(name, eqn)
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
        if _is_key(variable):
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
    """The user's line; that of the caller where JAX knows none, or it was traced in this file."""
    def line() -> str:
        found = str(source_info_util.summarize(eqn.source_info))
        return caller() if not found or found.startswith(__file__) else found
    return line
