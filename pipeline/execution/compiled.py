"""A program under `jax.jit`: known inputs are in the signature, weights are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxlib.mlir.ir import MLIRError

from pipeline.execution.errors import ExecutionError, NeedsWide
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


class Compiled:
    """A program of variables and inputs, compiled once for each shapes (and known values)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._constants: dict[bool, dict[str, jax.Array]] = {}   # by whether they are wide
        self._jitted = jax.jit(self._traced)
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
        held = {name: variables[name] for name in self.program.variables if name in variables}
        try:
            outputs, updates = self._jitted(constants, held, given, key)
        except (jax.errors.JaxRuntimeError, MLIRError, NotImplementedError) as error:
            raise ExecutionError(f"XLA cannot run the graph: {str(error)[:500]}") from error
        return [each.value if isinstance(each, Known) else each for each in outputs], updates

    def _check_inputs(self, inputs: Sequence[Any]) -> None:
        if is_wide():
            return
        for index, value in enumerate(inputs):
            if index not in self.program.static_inputs \
                    and not isinstance(value, jax.core.Tracer) and not fits_narrow(value):
                raise NeedsWide(f"input {self.program.inputs[index]} is {value.dtype} with values "
                                "that do not fit into 32 bits; turn on jax_enable_x64")

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


def _is_concrete(values: Any) -> bool:
    """Whether the values are numbers, not stand-ins inside a transformation."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def _must_know(value: Any, demanded: bool) -> bool:
    """Whether an input stays NumPy: the graph wants to know it, or it is text."""
    if isinstance(value, jax.Array):
        return demanded and not isinstance(value, jax.core.Tracer)
    return demanded or np.asarray(value).dtype == np.object_
