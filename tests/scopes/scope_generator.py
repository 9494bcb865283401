"""Random conformance programs: nestings of scopes, reuse flags and names, as plain data.

A program is a list of statements; `interpret` runs it against either side and returns its log. The
names are few, so that they collide often.
"""

from __future__ import annotations

import random
from typing import Any

Statement = tuple[Any, ...]

_SCOPES = ["a", "b", "A", "a/b", "", "v", "a_1", "b/", "_x", "a b"]
_VARIABLES = ["v", "w", "a", "V", "v_1", "b/v", "_x", "a b"]
_NAME_SCOPES = ["a", "b", "v", "a/", "a/b", "a_1/", None, "", "A", "_x"]
_REUSES = [None, None, None, False, True, "AUTO", "AUTO"]
_SHAPES = [[1], [1], [1], [2], None]
_DTYPES = [None, None, None, None, "int32", "float16"]
_FILTERS = [None, "a", "a/", "b", "v", ".*v"]
_KEYS = ["variables", "trainable_variables", "local_variables", "mine"]


def generate(seed: int) -> list[Statement]:
    """The program that belongs to a seed."""
    return _block(random.Random(seed), depth=0)


# How often each kind of statement is chosen. Templates call nothing and never fail on purpose:
# they would call themselves without end, and TensorFlow rewrites the arguments of what they raise.
_PLAIN = {"get": 10, "local": 1, "variable": 3, "here": 4, "reuse": 1, "members": 2}
_NESTING = {"scope": 10, "object": 4, "default": 4, "names": 4}
_CALLING = {"template": 1, "call": 2, "raise": 0.4}


def _block(r: random.Random, depth: int, template: bool = False) -> list[Statement]:
    weights = _PLAIN | ({} if depth > 3 else _NESTING) | ({} if template else _CALLING)
    kinds = r.choices(list(weights), list(weights.values()), k=r.randint(2, 4 if depth else 6))
    return [_statement(r, kind, depth + 1, template) for kind in kinds]


def _statement(r: random.Random, kind: str, depth: int, template: bool) -> Statement:
    if kind == "get":
        return (kind, r.choice(_VARIABLES), r.choice(_SHAPES), _getting(r))
    if kind in ("local", "variable"):
        return (kind, r.choice(_VARIABLES))
    if kind == "members":
        return (kind, r.choice(_KEYS), r.choice(_FILTERS))
    if kind in ("scope", "default"):
        name = r.choice(_SCOPES[:6] if kind == "default" else _SCOPES)
        return (kind, name, _opening(r), _block(r, depth, template))
    if kind == "object":
        return (kind, r.randrange(6), _opening(r), _block(r, depth, template))
    if kind == "names":
        return (kind, r.choice(_NAME_SCOPES), _block(r, depth, template))
    if kind == "template":
        return (kind, r.choice(["t", "a"]), r.random() < 0.3, _block(r, 3, template=True))
    return (kind, r.randrange(6))


def _getting(r: random.Random) -> dict[str, Any]:
    chosen = {"dtype": r.choice(_DTYPES), "reuse": None}
    if r.random() < 0.1:
        chosen["trainable"] = False
    if r.random() < 0.1:
        chosen["collections"] = ["mine"]
    if r.random() < 0.1:
        chosen["initializer"] = r.choice([1.0, 3, "zeros"])
    if r.random() < 0.1:
        chosen["regularizer"] = r.choice(["penalty", "none"])
    return {key: value for key, value in chosen.items() if value is not None}


def _opening(r: random.Random) -> dict[str, Any]:
    chosen: dict[str, Any] = {"reuse": r.choice(_REUSES)}
    if r.random() < 0.1:
        chosen["auxiliary_name_scope"] = False
    if r.random() < 0.1:
        chosen["dtype"] = r.choice(["float16", "int32"])
    if r.random() < 0.1:
        chosen["regularizer"] = r.choice(["penalty", "none"])
    return chosen


class _Stop(KeyError):
    """What a `raise` statement raises."""


class _Run:
    """One run of a program against one side."""

    def __init__(self, api: Any) -> None:
        self.t = api
        self.log: list[Any] = []
        self.scopes: list[Any] = []
        self.variables: list[Any] = []
        self.templates: list[Any] = []

    def block(self, statements: list[Statement]) -> None:
        for kind, *arguments in statements:
            self.log.append((kind, getattr(self, f"run_{kind}")(*arguments)))

    def options(self, given: dict[str, Any]) -> dict[str, Any]:
        """Words of the program in the side's own terms."""
        words = {"AUTO": self.t.AUTO_REUSE, "penalty": self.t.regularizer,
                 "none": self.t.no_regularizer}
        meant = {key: words.get(value, value) if isinstance(value, str) else value
                 for key, value in given.items()}
        if meant.get("initializer") == "zeros":
            meant["initializer"] = self.t.zeros()
        return meant

    def made(self, variable: Any) -> Any:
        """A variable as the log shows it: name, shape, dtype, and which object it is."""
        same = [i for i, known in enumerate(self.variables) if known is variable]
        self.variables.append(variable)
        return variable.name, self.t.shape(variable), self.t.dtype(variable), same[:1]

    def run_get(self, name: str, shape: Any, options: dict[str, Any]) -> Any:
        meant = self.options(options)
        return self.t.attempt(lambda: self.made(self.t.get_variable(name, shape, **meant)))

    def run_local(self, name: str) -> Any:
        return self.t.attempt(lambda: self.made(self.t.get_local_variable(name, [1])))

    def run_variable(self, name: str) -> Any:
        return self.t.attempt(lambda: self.made(self.t.Variable(1.0, name=name)))

    def run_here(self, _: int) -> Any:
        return self.t.here()

    def run_reuse(self, _: int) -> Any:
        return self.t.get_variable_scope().reuse_variables()

    def run_members(self, key: str, scope: str | None) -> Any:
        return self.t.collection(key, scope), self.t.losses(scope)

    def run_scope(self, name: str, options: dict[str, Any], body: list[Statement]) -> Any:
        return self.open(lambda: self.t.variable_scope(name, **self.options(options)), body)

    def run_default(self, name: str, options: dict[str, Any], body: list[Statement]) -> Any:
        return self.open(lambda: self.t.variable_scope(None, name, **self.options(options)), body)

    def run_object(self, index: int, options: dict[str, Any], body: list[Statement]) -> Any:
        scope = self.scopes[index % len(self.scopes)] if self.scopes else "a"
        return self.open(lambda: self.t.variable_scope(scope, **self.options(options)), body)

    def run_names(self, name: str | None, body: list[Statement]) -> Any:
        return self.open(lambda: self.t.name_scope(name), body)

    def run_template(self, name: str, now: bool, body: list[Statement]) -> Any:
        def make() -> None:
            made = self.t.make_template(name, lambda: self.block(body), create_scope_now_=now)
            self.templates.append(made)

        return self.t.attempt(make)

    def run_call(self, index: int) -> Any:
        if self.templates:
            return self.t.attempt(self.templates[index % len(self.templates)])
        return None

    def run_raise(self, _: int) -> Any:
        raise _Stop

    def open(self, make: Any, body: list[Statement]) -> Any:
        """Runs a body inside a scope; what entering gave, or the error."""

        def act() -> Any:
            with make() as scope:
                if isinstance(scope, str):
                    entered: Any = scope
                else:
                    self.scopes.append(scope)
                    entered = scope.name, scope.original_name_scope, self.t.dtype_name(scope.dtype)
                self.log.append((entered, self.t.here()))
                self.block(body)

        return self.t.attempt(act)


def interpret(program: list[Statement], api: Any) -> list[Any]:
    """The log of a program's run against one side."""
    run = _Run(api)
    run.log.append(api.attempt(lambda: run.block(program)))
    run.log.append([run.t.collection(key) for key in _KEYS])
    run.log.append(run.t.here())
    return run.log
