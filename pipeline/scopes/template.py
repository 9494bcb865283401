"""`make_template`: a function that shares its variables between calls."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from pipeline.scopes.collections import trainable_variables
from pipeline.scopes.errors import ScopeError
from pipeline.scopes.opening import variable_scope
from pipeline.scopes.scope import Getter, VariableScope
from pipeline.scopes.store import VariableStore, current_store

Result = TypeVar("Result")


class Template(Generic[Result]):
    """What `make_template` returns; in each store it has a scope of its own."""

    def __init__(self, name: str, function: Callable[..., Result], unique_name: str | None,
                 custom_getter: Getter | None) -> None:
        self._name = name
        self._function = function
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._scopes: WeakKeyDictionary[VariableStore, VariableScope] = WeakKeyDictionary()
        self._called: WeakSet[VariableStore] = WeakSet()

    @property
    def variable_scope(self) -> VariableScope | None:
        """Its scope in the default store; None before the first call."""
        return self._scopes.get(current_store())

    def _open(self) -> AbstractContextManager[VariableScope]:
        """The scope to run in: a fresh one on the first call, the same with reuse afterwards."""
        store = current_store()
        known = self._scopes.get(store)
        if known is None:
            return self._open_new()
        return variable_scope(known, reuse=store in self._called)

    def _open_new(self, **options: Any) -> AbstractContextManager[VariableScope]:
        return variable_scope(self._unique_name, self._name, custom_getter=self._custom_getter,
                              **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Result:
        """Runs the function in the template's scope.

        Raises:
            ScopeError: a later call made a trainable variable that the first one did not.
        """
        store = current_store()
        known = set(trainable_variables()) if store in self._called else None
        with self._open() as scope:
            self._scopes.setdefault(store, scope)
            self._called.add(store)
            result = self._function(*args, **kwargs)
        made = [] if known is None else [v for v in trainable_variables() if v not in known]
        if made:
            raise ScopeError(
                "Trainable variable created when calling a template after the first time, perhaps "
                f"you used Variable when you meant get_variable: {made}"
            )
        return result

    def create_scope(self) -> None:
        """Takes the scope's name now instead of at the first call.

        As in TensorFlow no name scope is opened, and the enclosing scope's dtype not inherited.
        """
        with self._open_new(auxiliary_name_scope=False, dtype="float32") as scope:
            self._scopes[current_store()] = scope


def make_template(
    name_: str,
    func_: Callable[..., Result],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Getter | None = None,
    **kwargs: Any,
) -> Template[Result]:
    """A function whose first call makes its variables and whose later calls share them.

    Args:
        name_: of its scope; a taken one becomes `name_1`.
        func_: the function; it must make the same variables each time.
        create_scope_now_: take the scope's name now instead of at the first call.
        unique_name_: the scope's name as it is, taken or not.
        custom_getter_: of the scope.
        **kwargs: given to `func_` on each call.
    """
    function = functools.partial(func_, **kwargs) if kwargs else func_
    template = Template(name_, function, unique_name_, custom_getter_)
    if create_scope_now_:
        template.create_scope()
    return template
