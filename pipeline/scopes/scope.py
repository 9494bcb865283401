"""What a variable scope is: a name, whether variables are reused, what is handed down.

tf1_semantics.md, section 1B, is the specification; its row numbers stand beside the rules.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from pipeline.scopes.namespace import Namespace, namespace_of
from pipeline.scopes.regularizers import Regularizer
from pipeline.scopes.store import current_store


class ReuseMode(Enum):
    """The third value that `reuse` may take besides True and False."""

    AUTO_REUSE = 1


_FLOAT32: np.dtype[np.generic] = np.dtype(np.float32)
AUTO_REUSE = ReuseMode.AUTO_REUSE
Reuse: TypeAlias = bool | ReuseMode | None
Getter: TypeAlias = Callable[..., Any]


class VariableScope:
    """A variable scope: its full name and what it hands down to everything below.

    Attributes:
        name: absolute, "" at the root.
        original_name_scope: the name scope it first opened, `foo_1/`.
        reuse: False, True or AUTO_REUSE.
    """

    def __init__(self, name: str, original_name_scope: str, reuse: Reuse, inherited: Inherited):
        self.name = name
        self.original_name_scope = original_name_scope
        self.reuse: Reuse = reuse
        self.inherited = inherited

    @property
    def initializer(self) -> Any:
        """What variables below begin with unless told otherwise."""
        return self.inherited.initializer

    @property
    def regularizer(self) -> Regularizer | None:
        """The penalty on variables below unless told otherwise."""
        return self.inherited.regularizer

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of variables below unless told otherwise."""
        return self.inherited.dtype

    @property
    def custom_getter(self) -> Getter | None:
        """What `get_variable` calls instead of creating, given the true getter."""
        return self.inherited.custom_getter

    def reuse_variables(self) -> None:
        """Turns reuse on for good; scopes opened below inherit it (B5)."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Replaces the initializer that is handed down."""
        self.inherited = replace(self.inherited, initializer=initializer)

    def set_regularizer(self, regularizer: Regularizer | None) -> None:
        """Replaces the regularizer that is handed down."""
        self.inherited = replace(self.inherited, regularizer=regularizer)

    def set_dtype(self, dtype: DTypeLike) -> None:
        """Replaces the type that is handed down."""
        self.inherited = replace(self.inherited, dtype=np.dtype(dtype))

    def set_custom_getter(self, custom_getter: Getter | None) -> None:
        """Replaces the custom getter that is handed down."""
        self.inherited = replace(self.inherited, custom_getter=custom_getter)

    def get_collection(self, name: str) -> list[Any]:
        """The members of a collection whose names lie below this scope (B23)."""
        members = namespace_of(current_store()).collections.get(name, [])
        below = f"{self.name}/" if self.name else ""
        return [m for m in members if getattr(m, "name", "").startswith(below)]

    def global_variables(self) -> list[Any]:
        """The global variables below this scope."""
        return self.get_collection("variables")

    def trainable_variables(self) -> list[Any]:
        """The trainable variables below this scope."""
        return self.get_collection("trainable_variables")

    def local_variables(self) -> list[Any]:
        """The local variables below this scope."""
        return self.get_collection("local_variables")

    def __repr__(self) -> str:
        return f"<VariableScope '{self.name}' reuse={self.reuse}>"


@dataclass(frozen=True)
class Inherited:
    """What a scope hands down (B13)."""

    initializer: Any = None
    regularizer: Regularizer | None = None
    dtype: np.dtype[np.generic] = _FLOAT32
    custom_getter: Getter | None = None

    def override(self, initializer: Any, regularizer: Regularizer | None,
                 dtype: DTypeLike | None, custom_getter: Getter | None) -> Inherited:
        """The same, with what was given instead; getters nest, the inner is called first (B14)."""
        return Inherited(
            self.initializer if initializer is None else initializer,
            self.regularizer if regularizer is None else regularizer,
            self.dtype if dtype is None else np.dtype(dtype),
            _nest(custom_getter, self.custom_getter),
        )


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


def get_state(namespace: Namespace) -> State:
    """Where the present thread or task stands in a store; at a root of its own to begin with."""
    state: State | None = namespace.state.get()
    if state is None:
        state = State(VariableScope("", "", False, Inherited()))
        namespace.state.set(state)
    return state


def get_variable_scope() -> VariableScope:
    """The innermost open variable scope; the root scope where none is open."""
    return get_state(namespace_of(current_store())).scope


def current_name_scope() -> str:
    """The open name scope, `layer1/inner`; "" at the root."""
    return get_state(namespace_of(current_store())).names


def _nest(inner: Getter | None, outer: Getter | None) -> Getter | None:
    if inner is None or outer is None:
        return inner or outer

    def nested(getter: Getter, *args: Any, **kwargs: Any) -> Any:
        return inner(functools.partial(outer, getter), *args, **kwargs)

    return nested
