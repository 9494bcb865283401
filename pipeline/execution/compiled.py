"""A program under `jax.jit`: known inputs are in the signature, weights are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxlib.mlir.ir import MLIRError

from pipeline.execution.errors import ExecutionError
from pipeline.execution.program import Program, Run
from pipeline.execution.values import DEAD, Known, is_static, to_jax

Variables = dict[str, Any]


class Compiled:
    """A program of variables and inputs, compiled once for each shapes (and known values)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._constants: dict[str, jax.Array] | None = None
        self._jitted = jax.jit(self._traced)

    def __call__(
        self, variables: Mapping[str, Any], inputs: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        """The outputs, and the variables that were assigned to; known outputs stay NumPy.

        A variable of a constant's name takes that constant's place.
        """
        if self._constants is None:
            with jax.ensure_compile_time_eval():
                self._constants = {name: to_jax(value)
                                   for name, value in self.program.constants.items()}
        static = self.program.static_inputs
        given = [Known(value) if _must_know(value, index in static) else value
                 for index, value in enumerate(inputs)]
        constants = {name: variables.get(name, value) for name, value in self._constants.items()}
        held = {name: variables[name] for name in self.program.variables if name in variables}
        try:
            outputs, updates = self._jitted(constants, held, given, key)
        except (jax.errors.JaxRuntimeError, MLIRError, NotImplementedError) as error:
            raise ExecutionError(f"XLA cannot run the graph: {str(error)[:500]}") from error
        return [each.value if isinstance(each, Known) else each for each in outputs], updates

    def _traced(
        self, constants: Mapping[str, Any], variables: Variables, given: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        inputs = [each.value if isinstance(each, Known) else each for each in given]
        outputs, updates = self.apply(constants, variables, inputs, key)
        return [Known(each) if is_static(each) else each for each in outputs], updates

    def apply(
        self, constants: Mapping[str, Any], variables: Variables, inputs: Sequence[Any], key: Any
    ) -> tuple[list[Any], Variables]:
        """As a call, uncompiled and with these constants in the place of the program's own."""
        run = Run(constants, {name: to_jax(value) for name, value in variables.items()}, key)
        before = dict(run.variables)
        static = self.program.static_inputs
        outputs = self.program.run(run, [
            value if _must_know(value, index in static) else to_jax(value)
            for index, value in enumerate(inputs)])
        if any(each is DEAD for each in outputs):
            raise ExecutionError("an output lies on a branch that is not taken")
        updates = {name: to_jax(value) for name, value in run.variables.items()
                   if value is not before.get(name)}
        return outputs, updates


def _must_know(value: Any, demanded: bool) -> bool:
    """Whether an input stays NumPy: the graph wants to know it, or it is text."""
    if isinstance(value, jax.Array):
        return demanded and not isinstance(value, jax.core.Tracer)
    return demanded or np.asarray(value).dtype == np.object_
