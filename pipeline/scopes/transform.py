"""The pure form: a function that calls `get_variable` becomes `init` and `apply`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Generic, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pipeline.scopes.errors import ScopeError
from pipeline.scopes.namespace import (
    InnerTrace,
    add_variable,
    current_trace,
    namespace_of,
    set_source,
    tracing,
)
from pipeline.scopes.scope import current_name_scope
from pipeline.scopes.sources import Drawn, Given, Placeholder, Source, fold_name
from pipeline.scopes.spec import VariableSpec
from pipeline.scopes.store import VariableStore, current_store

Result = TypeVar("Result")
_numbers = count(1)
_run_number = jax.make_user_context(0)


@dataclass(frozen=True)
class Transformed(Generic[Result]):
    """`function` with its variables taken out: what `transform` returns.

    Positional arguments are arrays, or pytrees of them; keyword arguments are passed as they are.
    Each call runs `function` in a fresh store, at the root scope, so scopes, names and reuse behave
    as in a graph of their own.
    """

    function: Callable[..., Result]

    def specs(self, *args: Any, **kwargs: Any) -> dict[str, VariableSpec]:
        """The variables that `function` declares, in order; nothing is computed.

        Raises:
            ScopeError: what `function` does with its scopes is wrong.
        """
        return self.describe(*args, **kwargs)[0]

    def describe(self, *args: Any, **kwargs: Any) -> tuple[dict[str, VariableSpec], Any]:
        """What `specs` returns, and the result's shapes and dtypes as `jax.eval_shape` gives them.

        Raises:
            ScopeError: what `function` does with its scopes is wrong.
        """
        found: list[dict[str, VariableSpec]] = []

        def run(*args: Any) -> Result:
            function = partial(self.function, *args, **kwargs)
            key = jax.random.key(0)
            result, store = _run(lambda: Placeholder(current_trace()), key, function)
            found.append(store.specs())
            return result

        result = jax.eval_shape(run, *args)
        return found[0], result

    def init(self, seed: ArrayLike, *args: Any, **kwargs: Any) -> VariableStore:
        """A store with the variables' initial values; `function` itself is only run abstractly.

        Raises:
            ScopeError: what `function` does with its scopes is wrong.
        """
        store = VariableStore(seed)
        for spec in self.specs(*args, **kwargs).values():
            add_variable(store, spec)
        return store

    def apply(
        self, values: Mapping[str, ArrayLike], *args: Any, key: Array | None = None, **kwargs: Any
    ) -> tuple[Result, dict[str, Array]]:
        """What `function` returns for these values, and the variables that it assigned to.

        Args:
            values: by name; more than `function` asks for is allowed.
            key: for `next_key`.

        Raises:
            ScopeError: a variable has no value here or one of another shape.
        """
        function = partial(self.function, *args, **kwargs)
        result, store = _run(lambda: Given(current_trace(), values), key, function)
        given = namespace_of(store).source
        assert isinstance(given, Given)
        updates = {name: value for name, value in store.values().items()
                   if value is not given.taken[name]}
        return result, updates


def transform(function: Callable[..., Result]) -> Transformed[Result]:
    """Takes the variables out of a function that makes them by `get_variable`."""
    return Transformed(function)


def next_key() -> Array:
    """A fresh random key, from `apply`'s `key` or else from the store's seed.

    Inside `apply` it depends on the open name scope and on how many keys were asked for there, so a
    dropout layer added elsewhere does not change it. Every step of a `scan` body sees the same key:
    fold the step's number in.

    Raises:
        ScopeError: `apply` was called without `key`; or the store lives outside the function that
            is being traced, which would see the same number for ever.
    """
    store = current_store()
    namespace = namespace_of(store)
    scope = current_name_scope()
    if isinstance(namespace.source, Drawn):
        return store.next_key()
    if namespace.key is None:
        raise ScopeError(f"{scope or 'the function'} asks for random numbers; call apply(…, key=…)")
    calls = namespace.random_calls.get(scope, 0)
    namespace.random_calls[scope] = calls + 1
    return fold_name(namespace.key, f"{scope}:{calls}")


def regularization_loss(
    specs: Mapping[str, VariableSpec], values: Mapping[str, ArrayLike]
) -> Array:
    """The sum of all penalties: a scalar, 0 where no variable has a regularizer."""
    total = jnp.zeros((), jnp.float32)
    for name, spec in specs.items():
        penalty = None if spec.regularizer is None else spec.regularizer(values[name])
        if penalty is not None:
            total = total + penalty
    return total


def _run(make_source: Callable[[], Source], key: Array | None, function: Callable[[], Result]
         ) -> tuple[Result, VariableStore]:
    """Runs a function in a fresh store, such that nothing JAX remembers from other runs enters.

    JAX keeps the trace of a function under `jax.jit` and would put one run's variables into the
    next. A run that is being traced therefore gets a number that JAX's caches see. One that is not
    goes without, for each of its operations would be compiled anew, until it asks for variables
    inside an inner trace: then it begins again with a number.
    """
    if not tracing():
        with suppress(InnerTrace):
            return _attempt(make_source(), key, function, watched=True)
    with _run_number(next(_numbers)):
        return _attempt(make_source(), key, function, watched=False)


def _attempt(source: Source, key: Array | None, function: Callable[[], Result], watched: bool
             ) -> tuple[Result, VariableStore]:
    store = VariableStore(seed=None)
    namespace = set_source(store, source)
    namespace.key, namespace.watched = key, watched

    def call() -> Result:
        with store.as_default():
            return function()

    result = copy_context().run(call)
    namespace.watched = False
    return result, store
