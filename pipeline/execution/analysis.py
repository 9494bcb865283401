"""A program run without values: every function that it calls is looked into once.

A function that calls another twice, which calls a third twice, is written in a few lines and has
2^n calls. Here a call of shapes that are known already is one equation, `called`, with the result's
shapes and what the function costs. A call of new shapes is looked into on the way, and where calls
nest deeply on its own, before its caller is looked into again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import Primitive

from pipeline.execution.folding import traced
from pipeline.execution.program import Program, Run
from pipeline.execution.values import Known, is_static

_NESTED = 8               # calls that are looked into within one another; a deeper one comes first
_KNOWN_BYTES = 1 << 16    # known arguments up to here are told apart by their values

called = Primitive("called")
called.multiple_results = True
called.def_abstract_eval(lambda *, results, flops: results)


class _Seen(NamedTuple):
    flops: int
    results: Sequence[Any]    # abstract values
    tree: Any


class _Unseen(BaseException):
    """A function is called with shapes that it has not been looked into with."""

    def __init__(self, key: Any, program: Program, arguments: Any) -> None:
        super().__init__()
        self.key, self.program, self.arguments = key, program, arguments


class Analysis:
    """What is known of functions by the shapes that they are called with.

    Args:
        count: the cost of a jaxpr.
    """

    def __init__(self, count: Callable[[Any], int]) -> None:
        self._count = count
        self._seen: dict[Any, _Seen] = {}
        self._nested = 0

    def jaxpr(
        self, program: Program, constants: Any, variables: Any, inputs: Sequence[Any]
    ) -> tuple[Any, list[Any]]:
        """The jaxpr of a program, and its outputs as abstract values.

        Args:
            program: what is looked into.
            constants: what stands for each of its constants, by name.
            variables: likewise for variables.
            inputs: likewise, in their order.

        Raises:
            ExecutionError: a rule cannot compute with the shapes and values it got.
        """
        waiting: list[_Unseen] = []
        while True:
            try:
                if not waiting:
                    made, results = self._trace(program, (constants, variables, inputs))
                    return made, results[0]
                self._see(waiting[-1])
                waiting.pop()
            except _Unseen as unseen:
                self._nested = 0
                waiting.append(unseen)

    def _trace(self, program: Program, arguments: Any) -> Any:
        return jax.make_jaxpr(self._body(program), return_shape=True)(*arguments)

    def _see(self, unseen: _Unseen) -> _Seen:
        made, results = self._trace(unseen.program, unseen.arguments)
        seen = _Seen(self._count(made.jaxpr), tuple(made.out_avals), jax.tree.structure(results))
        self._seen[unseen.key] = seen
        return seen

    def _body(self, program: Program) -> Callable[..., Any]:
        def body(constants: Any, variables: Any, inputs: Sequence[Any]) -> Any:
            run = Run(constants, dict(variables), None, self._call)
            outputs = program.run(run, [_open(each) for each in inputs])
            updates = {name: value for name, value in run.variables.items()
                       if value is not variables.get(name)}
            return [_closed(each) for each in outputs], updates
        return body

    def _call(self, program: Program, run: Run, values: Sequence[Any]) -> list[Any]:
        """The outputs of a call, as `Program.run` gives them."""
        constants = {name: run.constants[name] for name in program.constants}
        arguments = (constants, run.variables, [_closed(each) for each in values])
        leaves, tree = jax.tree.flatten(arguments)
        if not all(isinstance(each, jax.Array) for each in leaves):
            return program.run(run, values)    # a dead value, which no jaxpr can take
        specs = [jax.typeof(each) for each in leaves]
        key = (program, tree, tuple(specs))
        seen = self._seen.get(key)
        if seen is None:
            shapes = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in specs]
            unseen = _Unseen(key, program, jax.tree.unflatten(tree, shapes))
            if self._nested == _NESTED:
                raise unseen
            self._nested += 1
            seen = self._see(unseen)
            self._nested -= 1
        found = called.bind(results=seen.results, flops=seen.flops)
        outputs, updates = jax.tree.unflatten(seen.tree, found)
        run.variables.update(updates)
        return [_open(each) for each in outputs]


def specs_of(values: Mapping[str, Any]) -> dict[str, jax.ShapeDtypeStruct]:
    """What stands for arrays, by name; they are not expanded."""
    return {name: jax.eval_shape(lambda value=value: traced(value)) for name, value in
            values.items()}


def _closed(value: Any) -> Any:
    """A known value as a part of the signature if it is small, else as one that is traced."""
    if not is_static(value):
        return value
    return Known(value) if value.nbytes <= _KNOWN_BYTES or value.dtype == object else traced(value)


def _open(value: Any) -> Any:
    return value.value if isinstance(value, Known) else value
