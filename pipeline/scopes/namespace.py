"""What a TensorFlow graph keeps beside its variables: names in use, collections, open scopes.

A `VariableStore` is a pytree of variables and nothing else. The namespace stands beside it, is not
part of the pytree, and can be made again from the variables' own declarations: a store that nnx has
split and merged gets a fresh one, so that the names in a trace do not depend on earlier traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
from jax import Array
from jax.extend import source_info_util
from jax.extend.core import get_opaque_trace_state, set_current_trace, take_current_trace

from pipeline.scopes.names import Names
from pipeline.scopes.sources import Source
from pipeline.scopes.spec import GraphKeys, VariableSpec

if TYPE_CHECKING:
    from pipeline.scopes.scope import VariableScope


@dataclass(frozen=True)
class State:
    """Where one thread or task stands: replaced on entering a scope, never changed.

    Attributes:
        scope: the innermost variable scope.
        opened: how often each full scope name was opened below the open ones (B11).
        names: the current name scope, `layer1/inner`; "" at the root.
        pending: the tail of `names` that was entered while nothing was being traced, and that JAX's
            name stack therefore does not hold yet.
    """

    scope: VariableScope
    opened: Mapping[str, int] = field(default_factory=dict)
    names: str = ""
    pending: str = ""


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
        # A variable per store, so that leaving one store's scopes does not touch another's. It is
        # kept by every context that set it: `transform` therefore runs in a context of its own.
        self.state: ContextVar[State | None] = ContextVar("scopes", default=None)
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


def push_names(state: State, target: str, base: Any) -> tuple[AbstractContextManager[Any], State]:
    """Moves to the name scope `target`: the context that JAX's name stack needs, the new state.

    Outside a trace JAX's stack stays as it is: names entered there reach no jaxpr, and two tasks
    that take turns in one thread would mix them up.
    """
    below = target == state.names or not state.names or target.startswith(f"{state.names}/")
    added = target[len(state.names) :].removeprefix("/") if below else target
    pending = "/".join(part for part in (state.pending if below else "", added) if part)
    if not tracing():
        return nullcontext(), State(state.scope, state.opened, target, pending)
    moved = State(state.scope, state.opened, target)
    if below:
        return (jax.named_scope(pending) if pending else nullcontext()), moved
    stack = base.extend(target) if target else base
    return source_info_util.set_name_stack(stack), moved
