"""Tensors of a graph with variables as a JAX function of variables and inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.execution.compiled import Compiled, Variables
from pipeline.execution.errors import ExecutionError
from pipeline.execution.function import Input, accept_all, as_array


class GraphFunction:
    """`function(variables, *inputs) -> outputs`: pure, jitted, differentiable by the variables.

    Attributes:
        inputs: names of the tensors that a call takes, in order.
        outputs: names of the tensors that a call returns, in order.
        variables: names of the variables that it needs.
        static_inputs: names of the inputs that must be known before running.
        constants: arrays of floats, and other large or trainable ones, by name; an entry of
            `variables` with such a name takes the constant's place.
    """

    def __init__(self, compiled: Compiled, inputs: Sequence[Input], outputs: Sequence[str]) -> None:
        self.inputs = tuple(each.name for each in inputs)
        self.outputs = tuple(outputs)
        self.variables = tuple(compiled.program.variables)
        self.constants: Mapping[str, Any] = compiled.program.constants
        self.static_inputs = tuple(
            self.inputs[index] for index in sorted(compiled.program.static_inputs))
        self._checks = tuple(inputs)
        self._compiled = compiled

    @property
    def compilations(self) -> int:
        """For how many different values that shape what is computed it was compiled so far."""
        return self._compiled.compilations

    def __call__(
        self, variables: Mapping[str, Any], *inputs: Any, key: Any = None
    ) -> tuple[Any, ...]:
        """The outputs, one array each; assignments in the graph are not seen.

        Args:
            variables: values by name without `:0`; names that the graph does not need are ignored.
            *inputs: arrays in the order of `inputs`.
            key: a JAX random key for random ops.

        Raises:
            ExecutionError: a variable is missing, or an input does not fit its placeholder.
        """
        return self.with_updates(variables, *inputs, key=key)[0]

    def with_updates(
        self, variables: Mapping[str, Any], *inputs: Any, key: Any = None
    ) -> tuple[tuple[Any, ...], Variables]:
        """The outputs, and the values of the variables that the graph assigned to.

        Raises:
            ExecutionError: as a call does.
        """
        missing = [name for name in self.variables if name not in variables]
        if missing:
            raise ExecutionError(f"variables lack {', '.join(missing[:10])}"
                                 f"{' and more' if len(missing) > 10 else ''}")
        outputs, updates = self._compiled(variables, accept_all(self._checks, inputs), key)
        return tuple(map(as_array, self.outputs, outputs)), updates
