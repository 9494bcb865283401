"""What a TensorFlow graph keeps beside its variables: names in use, collections, open scopes.

A `VariableStore` is a pytree of variables and nothing else. The namespace stands beside it, is not
part of the pytree, and can be made again from the variables' own declarations: a store that nnx has
split and merged gets a fresh one, so that the names in a trace do not depend on earlier traces.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from flax.errors import TraceContextError
from jax import Array
from jax.extend import source_info_util
from jax.extend.core import get_opaque_trace_state, set_current_trace, take_current_trace

from pipeline.scopes.errors import ScopeError
from pipeline.scopes.names import Names
from pipeline.scopes.sources import Drawn, Source
from pipeline.scopes.spec import GraphKeys, VariableSpec
from pipeline.scopes.store import VariableStore
from pipeline.scopes.variable import new_variable


@dataclass(frozen=True)
class RegularizationLoss:
    """The penalty on one variable, computed when asked for."""

    name: str
    variable: Any

    def value(self) -> Array | None:
        """The penalty on the variable's present value: a scalar, None for no penalty."""
        penalty: Array | None = self.variable.get_metadata("spec").regularizer(
            self.variable.get_value())
        return penalty


class InnerTrace(BaseException):
    """A watched store was asked for something inside a trace that began after its run did."""


class Namespace:
    """The names, collections and open scopes that belong to one store."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.key: Array | None = None
        self.watched = False
        self.known: set[str] = set()
        self.names = Names()
        self.by_key: dict[str, str] = {}
        self.collections: dict[str, list[Any]] = {}
        self.defined_at: dict[str, str] = {}
        self.random_calls: dict[str, int] = {}
        # Where a thread or task stands, a `State` of `scope`. A variable per store, so
        # that leaving one store's scopes does not touch another's. It is kept by every context that
        # set it: `transform` therefore runs in a context of its own.
        self.state: ContextVar[Any] = ContextVar("scopes", default=None)
        self.base = source_info_util.current_name_stack()

    def register(self, variable: Any, spec: VariableSpec) -> None:
        """Enters a variable under its names and into its collections, once."""
        if spec.name in self.known:
            return
        self.known.add(self.names.take(spec.name))
        if spec.key is not None:
            self.by_key[spec.key] = spec.name
        for collection in spec.collections:
            self.collections.setdefault(collection, []).append(variable)
        if spec.regularizer is not None:
            losses = self.collections.setdefault(GraphKeys.REGULARIZATION_LOSSES, [])
            losses.append(RegularizationLoss(f"{spec.key}/Regularizer", variable))


_namespaces: WeakKeyDictionary[VariableStore, Namespace] = WeakKeyDictionary()


def tracing() -> bool:
    """Whether a JAX transformation is tracing right now, in this thread."""
    now = get_opaque_trace_state()
    with take_current_trace():
        eager = get_opaque_trace_state()
    return bool(now != eager)


def current_trace() -> Any:
    """The JAX trace of this moment, for `at_trace`."""
    with take_current_trace() as trace:
        return trace


def at_trace(trace: Any | None) -> AbstractContextManager[Any]:
    """Runs the body at an earlier, still open trace; in the present one if `trace` is None."""
    return nullcontext() if trace is None else set_current_trace(trace)


def namespace_of(store: VariableStore) -> Namespace:
    """The names and scopes that belong to a store, made from its variables if need be.

    Raises:
        InnerTrace: the store is watched and another trace has begun.
    """
    namespace = _namespaces.get(store)
    if namespace is None:
        namespace = set_source(store, Drawn())
    if namespace.watched and tracing():
        raise InnerTrace
    if len(store) != len(namespace.known):
        for variable in store:
            namespace.register(variable, variable.get_metadata("spec"))
    return namespace


def set_source(store: VariableStore, source: Source) -> Namespace:
    """Says where a fresh store's values come from; returns its namespace."""
    namespace = _namespaces[store] = Namespace(source)
    return namespace


def add_variable(store: VariableStore, spec: VariableSpec, like: Any = None) -> Any:
    """Creates the variable that a declaration describes, with its initial value.

    Args:
        store: where it goes.
        spec: its declaration.
        like: an nnx variable whose type and metadata it takes; one of our own types without it.

    Raises:
        ScopeError: the store lives outside the function that is being traced.
    """
    namespace = namespace_of(store)
    with at_trace(namespace.source.trace):
        value = namespace.source.value(store, spec)
        variable = new_variable(value, spec, len(store), like)
        try:
            store.variables[spec.name] = variable
        except TraceContextError:
            raise ScopeError(
                f"{spec.name}: created inside a transformed function (jit, grad, scan, …) in a "
                "store that lives outside it; create it before, or use scopes.transform"
            ) from None
    namespace.register(variable, spec)
    return variable
