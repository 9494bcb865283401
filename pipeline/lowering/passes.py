"""What happens to a program before its nodes are made, in this order."""

from __future__ import annotations

from pipeline.lowering import expand, fold, peepholes, ranges, tidy
from pipeline.lowering.ir import Program


def run(program: Program, unroll: int = expand.MOST_EQUATIONS) -> None:
    """Expand control flow, compute what needs no variable, find the larger ops.

    `unroll` is how many equations a `scan` may become.
    """
    program.prune()
    fold.run(program)
    expand.run(program, unroll)
    _simplify(program)


def _simplify(program: Program) -> None:
    for equation in program.equations:
        for param in equation.params.values():
            for body in param if isinstance(param, tuple) else (param,):
                if isinstance(body, Program):
                    _simplify(body)
    program.prune()
    fold.run(program)
    ranges.run(program)
    fold.run(program)
    peepholes.run(program)
    program.prune()
    fold.run(program)
    tidy.run(program)
    program.prune()
