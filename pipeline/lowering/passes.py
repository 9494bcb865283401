"""What happens to a program before its nodes are made, in this order."""

from __future__ import annotations

from pipeline.lowering import fold, peepholes
from pipeline.lowering.ir import Program


def run(program: Program) -> None:
    """Compute what needs no variable, recognise TensorFlow's larger ops, compute the rest.

    The larger ops come before the variables' values are touched: `gamma` and `moving_mean` are to
    be found in the graph by name.
    """
    program.prune()
    fold.run(program, variables=False)
    peepholes.run(program)
    program.prune()
    fold.run(program, variables=True)
    program.prune()
