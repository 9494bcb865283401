"""What happens to a program before its nodes are made, in this order."""

from __future__ import annotations

from pipeline.lowering import expand, fold, peepholes, ranges
from pipeline.lowering.ir import Program


def run(program: Program) -> None:
    """Expand control flow, compute what needs no variable, find the larger ops, compute the rest.

    The larger ops come before the variables' values are touched: `gamma` and `moving_mean` are to
    be found in the graph by name.
    """
    program.prune()
    fold.run(program, variables=False)
    expand.run(program)
    _simplify(program)


def _simplify(program: Program) -> None:
    for equation in program.equations:
        for param in equation.params.values():
            for body in param if isinstance(param, tuple) else (param,):
                if isinstance(body, Program):
                    _simplify(body)
    program.prune()
    fold.run(program, variables=False)
    ranges.run(program)
    fold.run(program, variables=False)
    peepholes.run(program)
    program.prune()
    fold.run(program, variables=True)
    program.prune()
