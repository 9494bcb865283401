"""What two equations say that one node can: reductions that keep their axes, indices of slices.

Comes after the larger ops are found, as these are known by the equations that JAX writes.
"""

from __future__ import annotations

from pipeline.lowering import dims
from pipeline.lowering.ir import Equation, Program, Shape

_REDUCTIONS = ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "nn.mean")


def run(program: Program) -> None:
    """Join equations with the only one that reads them; what they leave is for `prune`."""
    made, uses = program.producers(), program.uses()
    for equation in program.equations:
        if not equation.inputs or uses.get(equation.inputs[0]) != 1:
            continue
        inner = made.get(equation.inputs[0])
        if inner is None:
            continue
        if equation.primitive in ("broadcast_in_dim", "reshape"):
            _keep_axes(equation, inner)
        elif equation.primitive == "squeeze" and inner.primitive == "slice":
            gone = tuple(int(axis) for axis in equation.params["dimensions"])
            equation.primitive, equation.inputs = "slice", inner.inputs
            equation.params = {**inner.params, "gone": gone}


def _keep_axes(equation: Equation, inner: Equation) -> None:
    if inner.primitive not in _REDUCTIONS:
        return
    whole: Shape = inner.inputs[0].shape
    axes = tuple(int(axis) for axis in inner.params["axes"])
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(whole))
    others = tuple(axis for axis in range(len(whole)) if axis not in axes)
    placed = tuple(map(int, equation.params.get("broadcast_dimensions", others)))
    if dims.alike(kept, equation.output.shape) and placed == others:
        equation.primitive, equation.inputs = inner.primitive, inner.inputs
        equation.params = {**inner.params, "keep_dims": True}
