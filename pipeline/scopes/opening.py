"""`variable_scope` and `name_scope`: how scopes are opened and left, and how names nest.

tf1_semantics.md, section 1B, is the specification; its row numbers stand beside the rules.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import jax
from jax.extend import source_info_util
from numpy.typing import DTypeLike

from pipeline.scopes.errors import ScopeError, ScopeNestingError, ScopeTypeError
from pipeline.scopes.names import check_nested, check_root, check_text, join
from pipeline.scopes.namespace import Namespace, namespace_of, tracing
from pipeline.scopes.regularizers import Regularizer
from pipeline.scopes.scope import AUTO_REUSE, Getter, Reuse, State, VariableScope, get_state
from pipeline.scopes.store import current_store
from pipeline.scopes.unsupported import refuse


@dataclass
class _Open:
    """An entered scope: what to put back on leaving."""

    namespace: Namespace
    before: State
    inside: State
    jax_names: AbstractContextManager[Any]


class name_scope:
    """Opens a name scope for operations; variables of `get_variable` do not follow it.

    A name that was taken becomes `name_1`; one that ends in "/" is entered exactly as it is; None
    or "" leads back to the root (B21). Entering gives the scope's name with a trailing "/".

    Args:
        name: relative to the open name scope.
        default_name: used when `name` is None.
        values: accepted for TensorFlow's signature, not needed.

    Raises:
        ScopeTypeError: a name that is no string.
        ScopeError: an illegal name.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Any = None):
        self._name = default_name if name is None else name
        if self._name is not None:
            check_text(self._name)
        self._open: list[_Open] = []

    def __enter__(self) -> str:
        namespace = namespace_of(current_store())
        before = get_state(namespace)
        target = _resolve(namespace, before.names, self._name)
        self._open.append(_enter(namespace, before, target))
        return f"{target}/" if target else ""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        opened = self._open.pop()
        opened.jax_names.__exit__(kind, error, trace)
        state = get_state(opened.namespace)
        opened.namespace.state.set(replace(state, names=opened.before.names,
                                           pending=opened.before.pending))


class variable_scope:
    """Opens a variable scope: variables made below are named `scope/…` and can be found again.

    Args:
        name_or_scope: a name below the open scope, "" included; or a `VariableScope`, which is
            entered at its own absolute name with what it hands down (B7).
        default_name: used, made unique among its siblings, when `name_or_scope` is None (B11).
        values: accepted for TensorFlow's signature, not needed.
        initializer, regularizer, dtype, custom_getter: handed down to everything below.
        reuse: True: variables must exist; AUTO_REUSE: they are made where missing; False and None:
            as the enclosing scope says, whose reuse cannot be switched off (B2, B3).
        auxiliary_name_scope: False opens no name scope for operations.
        **unsupported: TensorFlow's other arguments, which are refused unless they are None.

    Raises:
        ScopeError: an illegal name, an illegal `reuse`, or reuse=True without a name.
        ScopeTypeError: neither name nor default name, a scope or name that is none, an argument
            that means nothing here.
        ScopeNestingError: on leaving, when another scope is the innermost.
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Regularizer | None = None,
        custom_getter: Getter | None = None,
        reuse: Reuse = None,
        dtype: DTypeLike | None = None,
        auxiliary_name_scope: bool = True,
        **unsupported: Any,
    ):
        refuse("variable_scope", unsupported)
        if default_name is None and name_or_scope is None:
            raise ScopeTypeError("If default_name is None then name_or_scope is required")
        if default_name is not None:
            check_text(default_name)
        if not (reuse is None or reuse is AUTO_REUSE or isinstance(reuse, bool)):
            raise ScopeError("The reuse parameter must be True or False or None.")
        self._target = name_or_scope
        self._default_name = default_name
        self._overrides = (initializer, regularizer, dtype, custom_getter)
        self._reuse: Reuse = reuse or None
        self._auxiliary = auxiliary_name_scope
        self._open: list[_Open] = []

    def __enter__(self) -> VariableScope:
        namespace = namespace_of(current_store())
        before = get_state(namespace)
        name, parent, ops = self._resolve_names(before)
        opens = self._auxiliary and (ops or self._target is None)
        inner = _resolve(namespace, before.names, ops) if opens else before.names
        original = f"{inner}/" if inner and (opens or not self._auxiliary) else ""
        if isinstance(self._target, VariableScope):
            original = parent.original_name_scope
        scope = VariableScope(name, original, self._reuse or parent.reuse,
                              parent.inherited.override(*self._overrides))
        opened = dict(before.opened)
        opened[name] = opened.get(name, 0) + 1
        inside = replace(before, scope=scope, opened=opened)
        self._open.append(_enter(namespace, inside, inner, before))
        return scope

    def _resolve_names(self, state: State) -> tuple[str, VariableScope, str]:
        """(full name of the scope, the scope it takes after, name scope to open)."""
        target, current = self._target, state.scope
        if isinstance(target, VariableScope):
            return target.name, target, target.name.split("/")[-1]
        if isinstance(target, str):
            return join(current.name, target), current, target
        if target is not None:
            raise ScopeTypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if self._reuse is not None:
            raise ScopeError("reuse=True cannot be used without a name_or_scope")
        assert self._default_name is not None
        return _unopened(state, self._default_name), current, self._default_name

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        opened = self._open.pop()
        state = get_state(opened.namespace)
        if state.scope is not opened.inside.scope:
            raise ScopeNestingError("Improper nesting of variable_scope.")
        opened.jax_names.__exit__(kind, error, trace)
        counts = opened.inside.opened
        if not isinstance(self._target, VariableScope):
            below = f"{state.scope.name}/"
            counts = {name: n for name, n in state.opened.items() if not name.startswith(below)}
        opened.namespace.state.set(replace(opened.before, opened=counts))


def _enter(namespace: Namespace, state: State, ops: str, before: State | None = None) -> _Open:
    jax_names, inside = _push_names(state, ops, namespace.base)
    jax_names.__enter__()
    namespace.state.set(inside)
    return _Open(namespace, before or state, inside, jax_names)


def _push_names(
    state: State, target: str, base: Any
) -> tuple[AbstractContextManager[Any], State]:
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


def _resolve(namespace: Namespace, current: str, name: str | None) -> str:
    """The full name scope that `name_scope(name)` opens."""
    if not name:
        return ""
    check_nested(name) if current else check_root(name)
    if name.endswith("/"):
        return name[:-1]
    return namespace.names.take(namespace.names.free(join(current, name)))


def _unopened(state: State, name: str) -> str:
    """The full name of the first of `name`, `name_1`, … that was not opened here yet."""
    full = join(state.scope.name, name)
    suffix, candidate = 0, full
    while state.opened.get(candidate, 0):
        suffix += 1
        candidate = f"{full}_{suffix}"
    return candidate
