"""The small common API that every conformance program is written against, twice.

`TensorFlowApi` runs a program in a real `compat.v1` graph, `ScopesApi` in `pipeline.scopes`, once
eagerly and once traced. What a program returns must be equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend import source_info_util
from jax.extend.core import take_current_trace

from pipeline import scopes

Program = Callable[[Any], Any]

# Where the texts of the two sides may differ: module names, names of types, frames.
_REPLACED = [
    (r"(?s)\s*[Oo]riginally defined at.*", ""),
    (r"\btf\.", ""),
    (r"<dtype: '(\w+)'>", r"\1"),
    (r"\b(\w+)_ref\b", r"\1"),
    (r"'(float\d+|int\d+|bool)'", r"\1"),
    (r"(?s).*The initializer passed is not valid.*", "The initializer passed is not valid."),
    (r"^\"(.*)\"$", r"\1"),
    (r"(An initializer for variable \S+ of \w+ is required).*", r"\1"),
    (r"(is not a valid (root )?scope name).*", r"\1"),
    (r"(?s)(Trainable variable created when calling a template).*", r"\1"),
]
_CLASSES = {
    scopes.ScopeTypeError: "TypeError",
    scopes.ScopeKeyError: "KeyError",
    scopes.ScopeNestingError: "RuntimeError",
    scopes.ScopeError: "ValueError",
}


def _text(error: Exception) -> str:
    text = str(error)
    for pattern, replacement in _REPLACED:
        text = re.sub(pattern, replacement, text)
    return text.strip()


class Api:
    """What both sides offer under the same names."""

    keys = scopes.GraphKeys

    def attempt(self, act: Callable[[], Any]) -> Any:
        """The result, or ("ValueError", the substance of the text)."""
        try:
            return act()
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            return self.class_of(error), _text(error)

    def enter(self, *args: Any, **kwargs: Any) -> Any:
        """Opens and closes a variable scope; its name, or the error."""

        def act() -> Any:
            with self.variable_scope(*args, **kwargs) as scope:
                return scope.name

        return self.attempt(act)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """`get_variable`'s name, or the error."""
        return self.attempt(lambda: self.get_variable(*args, **kwargs).name)

    def flag(self, word: str) -> Any:
        """A value for `reuse` by its word."""
        return {"None": None, "False": False, "True": True, "AUTO": self.AUTO_REUSE}[word]

    def here(self) -> tuple[str, str, str]:
        """Where we stand: variable scope, its reuse, and the name scope of operations."""
        scope = self.get_variable_scope()
        return scope.name, str(scope.reuse).removeprefix("_"), self.op()


class TensorFlowApi(Api):
    """A program's view of `tf.compat.v1`."""

    def __init__(self, tf1: ModuleType) -> None:
        self.tf1 = tf1
        for name in ("variable_scope", "name_scope", "get_variable", "get_local_variable",
                     "get_variable_scope", "AUTO_REUSE", "make_template", "Variable"):
            setattr(self, name, getattr(tf1, name))
        self.no_regularizer = tf1.no_regularizer
        self.zeros = tf1.zeros_initializer
        self.ones = tf1.ones_initializer
        self.constant = tf1.constant_initializer
        self.truncated_normal = tf1.truncated_normal_initializer

    def class_of(self, error: Exception) -> str:
        return type(error).__name__

    def regularizer(self, value: Any) -> Any:
        return self.tf1.reduce_sum(self.tf1.cast(value, "float32")) * 0.5

    def op(self) -> str:
        """The name scope that an operation made here lands in."""
        return self.tf1.no_op(name="op").name.rpartition("/")[0]

    def collection(self, name: str, scope: str | None = None) -> list[str]:
        return [member.name for member in self.tf1.get_collection(name, scope)]

    def losses(self, scope: str | None = None) -> list[str]:
        """The name scopes of the regularization losses."""
        found = self.tf1.losses.get_regularization_losses(scope)
        return [loss.name.rpartition("/")[0] for loss in found]

    def shape(self, variable: Any) -> tuple[int, ...]:
        return tuple(variable.shape.as_list())

    def dtype(self, variable: Any) -> str:
        return self.dtype_name(variable.dtype)

    def dtype_name(self, dtype: Any) -> str:
        return str(self.tf1.as_dtype(dtype).base_dtype.name)

    def value(self, variable: Any) -> Any:
        with self.tf1.Session() as session:
            session.run(variable.initializer)
            return session.run(variable).tolist()

    def by_name(self, name: str) -> Any:
        return self.tf1.get_default_graph().get_tensor_by_name(name).name

    def average(self, decay: float, num_updates: Any = None,
                name: str = "ExponentialMovingAverage") -> Any:
        return self.tf1.train.ExponentialMovingAverage(decay, num_updates, name=name)


class ScopesApi(Api):
    """A program's view of `pipeline.scopes`."""

    def __init__(self) -> None:
        for name in ("variable_scope", "name_scope", "get_variable", "get_local_variable",
                     "get_variable_scope", "AUTO_REUSE", "make_template", "Variable"):
            setattr(self, name, getattr(scopes, name))
        self.no_regularizer = scopes.no_regularizer
        self.zeros = scopes.zeros_initializer
        self.ones = scopes.ones_initializer
        self.constant = scopes.constant_initializer
        self.truncated_normal = scopes.truncated_normal_initializer

    def class_of(self, error: Exception) -> str:
        return next((name for kind, name in _CLASSES.items() if isinstance(error, kind)),
                    type(error).__name__)

    def regularizer(self, value: Any) -> Any:
        return jnp.sum(value) * 0.5

    def op(self) -> str:
        return scopes.current_name_scope()

    def collection(self, name: str, scope: str | None = None) -> list[str]:
        return [member.name for member in scopes.get_collection(name, scope)]

    def losses(self, scope: str | None = None) -> list[str]:
        return [loss.name for loss in scopes.get_regularization_losses(scope)]

    def shape(self, variable: Any) -> tuple[int, ...]:
        return tuple(variable.shape)

    def dtype(self, variable: Any) -> str:
        return self.dtype_name(variable.dtype)

    def dtype_name(self, dtype: Any) -> str:
        return np.dtype(dtype).name

    def value(self, variable: Any) -> Any:
        return np.asarray(variable.read()).tolist()

    def by_name(self, name: str) -> Any:
        return scopes.current_store().get_tensor_by_name(name).name

    def average(self, decay: float, num_updates: Any = None,
                name: str = "ExponentialMovingAverage") -> Any:
        return scopes.ExponentialMovingAverage(decay, num_updates, name=name)


class TracedApi(ScopesApi):
    """The same while JAX traces: name scopes are read from JAX's own name stack."""

    def op(self) -> str:
        stack = str(source_info_util.current_name_stack())
        assert stack == scopes.current_name_scope()
        return stack

    def value(self, variable: Any) -> Any:
        """Initial values are drawn later: the variable's initializer says what they will be."""
        spec = variable.spec
        with take_current_trace():
            return np.asarray(spec.initializer(None, spec.shape, spec.dtype)).tolist()
