"""A program under `jax.jit`: known inputs are in the signature, weights are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import jax
import numpy as np
from jaxlib.mlir.ir import MLIRError

from pipeline import budget
from pipeline.execution.by_value import ByValue
from pipeline.execution.deciding import Decisions
from pipeline.execution.errors import ExecutionError, NeedsWide, UnknownValue
from pipeline.execution.program import Program, Run
from pipeline.execution.values import (
    DEAD,
    Known,
    fits_narrow,
    is_static,
    is_wide,
    narrowed,
    to_jax,
    widened,
)

Variables = dict[str, Any]
_LARGEST = 200_000    # steps of a program with all its calls written out
_DEEPEST = 100        # programs within programs


class _Large(BaseException):
    """What the steps give would not fit the budget if all of it were kept."""


class Compiled:
    """A program of variables and inputs, compiled once for each shapes (and known values)."""

    def __init__(self, program: Program) -> None:
        if program.size > _LARGEST:
            raise ExecutionError(f"graph has more than {_LARGEST} nodes once its calls are "
                                 "written out")
        check_depth(program)
        self.program = program
        self._constants: dict[bool, dict[str, jax.Array]] = {}   # by whether they are wide
        self._jitted = jax.jit(self._traced)
        self._asking = jax.jit(partial(self._traced, most=True))
        self._backwards = jax.jit(partial(self._traced, backwards=True))
        self._asks: set[bool] = set()    # whether backwards: what runs by value
        self._by_value = {backwards: ByValue(partial(self._asking_for, backwards))
                          for backwards in (False, True)}
        self._measured: dict[Any, Any] = {}    # what was found to fit, by its signature
        self._wide = program.widens

    def __call__(
        self, variables: Mapping[str, Any], inputs: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        """The outputs, and the variables that were assigned to; known outputs stay NumPy.

        A variable of a constant's name takes that constant's place. Where numbers of 64 bits
        matter, and JAX would narrow them, the call computes in 64 bits: its outputs may be wider
        than JAX's own then.

        Raises:
            NeedsWide: such numbers inside a transformation (`jit`, `grad`), where JAX has 32 bits.
        """
        if is_wide() or not _is_concrete((variables, inputs)):
            return self._call(variables, inputs, key)
        if self._wide or not all(map(fits_narrow, variables.values())) \
                or not all(map(fits_narrow, inputs)):
            return self._call_wide(variables, inputs, key)
        try:
            return self._call(variables, inputs, key)
        except NeedsWide:
            self._wide = True
            return self._call_wide(variables, inputs, key)

    def _call_wide(
        self, variables: Mapping[str, Any], inputs: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        declared = self.program.variables
        with jax.enable_x64(True):
            outputs, updates = self._call(
                {name: widened(value, declared[name].attrs.get("dtype"))
                 if name in declared else value for name, value in variables.items()}, inputs, key)
        return outputs, {name: narrowed(value) for name, value in updates.items()}

    def _call(
        self, variables: Mapping[str, Any], inputs: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        self._check_inputs(inputs)
        wide = is_wide()
        if wide not in self._constants:
            with jax.ensure_compile_time_eval():
                self._constants[wide] = {name: to_jax(value)
                                         for name, value in self.program.constants.items()}
        static = self.program.static_inputs
        given = [Known(value) if _must_know(value, index in static) else value
                 for index, value in enumerate(inputs)]
        constants = {name: variables.get(name, value)
                     for name, value in self._constants[wide].items()}
        held = {name: _sealed(variables[name])
                for name in self.program.variables if name in variables}
        try:
            outputs, updates = self._run(constants, held, given, key)
        except (jax.errors.JaxRuntimeError, MLIRError, NotImplementedError) as error:
            raise ExecutionError(f"XLA cannot run the graph: {str(error)[:500]}") from error
        return ([each.value if isinstance(each, Known) else each for each in outputs],
                {name: _opened(value) for name, value in updates.items()})

    def _check_inputs(self, inputs: Sequence[Any]) -> None:
        if is_wide():
            return
        for index, value in enumerate(inputs):
            if index not in self.program.static_inputs \
                    and not isinstance(value, jax.core.Tracer) and not fits_narrow(value):
                raise NeedsWide(f"input {self.program.inputs[index]} is {value.dtype} with values "
                                "that do not fit into 32 bits; turn on jax_enable_x64")

    def _run(self, *arguments: Any) -> tuple[list[Any], Variables]:
        """The outputs and the variables that were assigned to, by whichever way there is.

        A program that asks for values that only running tells is run by `ByValue`; backwards
        derivatives ask for the rounds of every loop.
        """
        tracers = [leaf for leaf in jax.tree.leaves(arguments)
                   if isinstance(leaf, jax.core.Tracer)]
        moving = [leaf for leaf in tracers if hasattr(leaf, "primal")]
        backwards, inside = bool(moving) and self.program.loops, len(moving) < len(tracers)
        found: Any = None
        if inside or backwards not in self._asks:
            try:
                return self._backwards(*arguments) if backwards else self._at_once(*arguments)
            except UnknownValue:
                if inside:
                    raise
                self._asks.add(backwards)
        try:
            found = self._by_value[backwards].run(*arguments)
        except UnknownValue:
            if not backwards:
                raise
            found = self._jitted(*arguments)    # forwards it needs less
        return cast("tuple[list[Any], Variables]", found)

    @property
    def compilations(self) -> int:
        """For how many values that only running tells the program was compiled."""
        return sum(each.compilations for each in self._by_value.values())

    def _asking_for(
        self, backwards: bool, decisions: Decisions, *arguments: Any
    ) -> tuple[tuple[list[Any], Variables], list[Any]]:
        """As `_traced`, and the values that were asked for."""
        result = self._traced(*arguments, decisions=decisions, backwards=backwards)
        return result, decisions.asked

    def _at_once(self, *arguments: Any) -> tuple[list[Any], Variables]:
        """Runs what fits the budget of memory; XLA is asked where the sum of all steps does not.

        Raises:
            MemoryBudgetError: the results and what is kept on the way to them are too large.
        """
        if not _is_concrete(arguments):
            return cast("tuple[list[Any], Variables]", self._jitted(*arguments))
        if not self._measured:
            try:
                return cast("tuple[list[Any], Variables]", self._asking(*arguments))
            except _Large:
                pass
        leaves, tree = jax.tree.flatten(arguments)
        signature = (tree, tuple((np.shape(each), str(each.dtype)) for each in leaves), is_wide())
        if signature not in self._measured:
            made = self._jitted.lower(*arguments).compile()
            needs = made.memory_analysis()
            if needs is not None:    # else the backend does not tell
                budget.current().require(needs.temp_size_in_bytes + needs.output_size_in_bytes,
                                         "running the graph with these inputs")
            self._measured[signature] = made
        return cast("tuple[list[Any], Variables]", self._measured[signature](*arguments))

    def _traced(
        self, constants: Mapping[str, Any], variables: Variables, given: Sequence[Any], key: Any,
        *, most: bool = False, decisions: Decisions | None = None, backwards: bool = False,
    ) -> tuple[list[Any], Variables]:
        """As `apply`; with `most` it gives up where the steps give more than the budget."""
        inputs = [each.value if isinstance(each, Known) else each for each in given]
        outputs, updates, made = self._apply(
            constants, variables, inputs, key, decisions, backwards)
        if most and made > budget.current().limit:
            raise _Large
        return [Known(each) if is_static(each) else each for each in outputs], updates

    def apply(
        self, constants: Mapping[str, Any], variables: Variables, inputs: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        """As a call, uncompiled and with these constants in the place of the program's own."""
        return self._apply(constants, variables, inputs, key, Decisions(), False)[:2]

    def _apply(
        self, constants: Mapping[str, Any], variables: Variables, inputs: Sequence[Any], key: Any,
        decisions: Decisions | None, backwards: bool,
    ) -> tuple[list[Any], Variables, int]:
        """The outputs, the variables that were assigned to, and the bytes that all steps gave."""
        run = Run(constants, {name: _opened(value) for name, value in variables.items()}, key,
                  decisions=decisions, backwards=backwards)
        before = dict(run.variables)
        static = self.program.static_inputs
        outputs = self.program.run(run, [
            value if _must_know(value, index in static) else to_jax(value)
            for index, value in enumerate(inputs)])
        if any(each is DEAD for each in outputs):
            raise ExecutionError("an output lies on a branch that is not taken")
        updates = {name: _sealed(value) for name, value in run.variables.items()
                   if value is not before.get(name)}
        return outputs, updates, run.made[0]


def _sealed(value: Any) -> Any:
    """What a variable holds as it crosses the border of a compiled function: text is known."""
    return Known(value) if isinstance(value, np.ndarray) and value.dtype == np.object_ \
        else value if isinstance(value, Known) else to_jax(value)


def _opened(value: Any) -> Any:
    """The inverse of `_sealed`."""
    if isinstance(value, Known):
        return value.value
    return value if getattr(value, "dtype", None) == np.object_ else to_jax(value)


def check_depth(program: Program) -> None:
    """Refuses functions and loops that nest too deeply to be traced.

    Raises:
        ExecutionError: they do.
    """
    if program.depth > _DEEPEST:
        raise ExecutionError(f"graph nests functions and loops too deeply: {program.depth}; "
                             f"expected at most {_DEEPEST}")


def _is_concrete(values: Any) -> bool:
    """Whether the values are numbers, not stand-ins inside a transformation."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def _must_know(value: Any, demanded: bool) -> bool:
    """Whether an input stays NumPy: the graph wants to know it, or it is text."""
    if isinstance(value, jax.Array):
        return demanded and not isinstance(value, jax.core.Tracer)
    return demanded or np.asarray(value).dtype == np.object_
