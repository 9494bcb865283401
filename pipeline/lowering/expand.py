"""Control flow written out where that is the plainest graph.

- `cond`: all branches, and a choice between their results. JAX's branches are pure; but one that
  loops might not end when it is not meant to run, so such a `cond` stays.
- `scan` of a known, small number of steps: one step after another. Others stay loops.
- `custom_linear_solve`: its solution.

So is a `reshape` that reads its operand in another order of axes, as Fortran's: after a transpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from pipeline.lowering import bisection
from pipeline.lowering.ir import Equation, Program, Value, constant

MOST_EQUATIONS = 4096    # that a scan may become
_STAYING = ("while", "scan", "cond")    # a `cond` that is still there has one of them


def run(program: Program, most: int = MOST_EQUATIONS) -> None:
    """Expand what can be, the bodies of loops that stay included.

    Args:
        program: is changed.
        most: how many equations a `scan` may become; one that has more stays a loop.
    """
    program.equations = list(_expanded(program.equations, most))


def _expanded(equations: list[Equation], most: int) -> Iterator[Equation]:
    for equation in equations:
        for param in equation.params.values():
            for body in param if isinstance(param, tuple) else (param,):
                if isinstance(body, Program):
                    run(body, most)
        yield from _expand(equation, most)


def _expand(equation: Equation, most: int) -> Iterator[Equation]:
    params = equation.params
    if bisection.is_search(equation):
        return bisection.count(equation)
    if equation.primitive == "scan" and isinstance(params["length"], int) and (
            params["length"] * len(params["jaxpr"].equations) <= most):
        return _unroll(equation)
    if equation.primitive == "cond":
        _leave_out_checks(equation)
    if equation.primitive == "cond" and not any(
            each.primitive in _STAYING for branch in params["branches"]
            for each in branch.equations):
        return _choose(equation)
    if equation.primitive == "custom_linear_solve":
        return _solve(equation)
    if equation.primitive == "reshape" and params["dimensions"] is not None:
        return _reorder(equation)
    return iter([equation])


def _beside(equation: Equation, primitive: str, inputs: list[Value], output: Value,
            **params: object) -> Equation:
    return Equation(primitive, inputs, [output], params, equation.scope, equation.source)


def inline(program: Program, inputs: list[Value], scope: str) -> tuple[list[Equation], list[Value]]:
    """A fresh copy of a program's equations, reading these inputs."""
    known = dict(zip(program.inputs, inputs, strict=True))
    equations = []
    for equation in program.equations:
        outputs = [Value(value.shape, value.dtype) for value in equation.outputs]
        path = "/".join(part for part in (scope, equation.scope) if part)
        equations.append(Equation(
            equation.primitive, [known.get(value, value) for value in equation.inputs], outputs,
            equation.params, path, equation.source))
        known.update(zip(equation.outputs, outputs, strict=True))
    return equations, [known.get(value, value) for value in program.outputs]


def _give(
    equation: Equation, equations: list[Equation], found: list[Value], wanted: list[Value]
) -> Iterator[Equation]:
    """The equations, then `wanted` as what was `found`."""
    yield from equations
    for old, new in zip(found, wanted, strict=True):
        yield _beside(equation, "copy_value", [old], new)


def _choose(equation: Equation) -> Iterator[Equation]:
    which, *arguments = equation.inputs
    equations, results = [], []
    for branch in equation.params["branches"]:
        inner, outputs = inline(branch, arguments, equation.scope)
        equations += inner
        results.append(outputs)
    yield from equations
    if len(results) == 2 and which.dtype.kind != "b":
        holds = Value((), np.dtype(bool))
        yield _beside(equation, "ne", [which, constant(0, which.dtype)], holds)
        which = holds
    for output, *cases in zip(equation.outputs, *results, strict=True):
        if len(cases) == 1 or all(case is cases[0] for case in cases):
            yield _beside(equation, "copy_value", [cases[0]], output)
        else:
            yield _beside(equation, "select_n", [which, *cases], output)


def _leave_out_checks(equation: Equation) -> None:
    """`equinox.error_if` gives what it takes, or raises in a callback: what it gives is left."""
    branches = equation.params["branches"]
    checks = [branch for branch in branches if any(map(_raises, branch.equations))]
    others = [branch for branch in branches if branch not in checks]
    if checks and len(others) == 1:
        equation.params = {**equation.params, "branches": (others[0],)}


def _raises(equation: Equation) -> bool:
    function = getattr(equation.params.get("callback"), "callback_func", None)
    return getattr(function, "__module__", "") == "equinox._errors"


def _solve(equation: Equation) -> Iterator[Equation]:
    lengths = equation.params["const_lengths"]
    inputs = iter(equation.inputs)
    for name in ("matvec", "vecmat"):
        list(islice(inputs, getattr(lengths, name)))
    solve = list(islice(inputs, lengths.solve))
    list(islice(inputs, lengths.transpose_solve))
    body = equation.params["jaxprs"].solve
    equations, found = inline(body, [*solve, *inputs], equation.scope)
    return _give(equation, equations, found, equation.outputs)


def _reorder(equation: Equation) -> Iterator[Equation]:
    value, order = equation.inputs[0], equation.params["dimensions"]
    turned = Value(tuple(value.shape[axis] for axis in order), value.dtype)
    yield _beside(equation, "transpose", [value], turned, permutation=order)
    yield _beside(equation, "reshape", [turned], equation.output, dimensions=None)


def _unroll(equation: Equation) -> Iterator[Equation]:
    params, length = equation.params, equation.params["length"]
    consts, carry = params["num_consts"], params["num_carry"]
    inputs = equation.inputs
    fixed, state, rows = inputs[:consts], inputs[consts:consts + carry], inputs[consts + carry:]
    steps: list[list[Value]] = []
    for index in reversed(range(length)) if params["reverse"] else range(length):
        sliced = []
        for row in rows:
            part = Value((1, *row.shape[1:]), row.dtype)
            element = Value(row.shape[1:], row.dtype)
            begin = (index, *(0 for _ in element.shape))
            yield _beside(equation, "slice", [row], part, start_indices=begin,
                          limit_indices=(index + 1, *element.shape), strides=None)
            yield _beside(equation, "squeeze", [part], element, dimensions=(0,))
            sliced.append(element)
        equations, outputs = inline(params["jaxpr"], [*fixed, *state, *sliced], equation.scope)
        yield from equations
        state = outputs[:carry]
        steps.append(outputs[carry:])
    yield from _give(equation, [], state, equation.outputs[:carry])
    ordered = steps[::-1] if params["reverse"] else steps
    for at, output in enumerate(equation.outputs[carry:]):
        if not length:
            zero = constant(0, output.dtype)
            yield _beside(equation, "broadcast_in_dim", [zero], output, broadcast_dimensions=())
        else:
            yield _beside(equation, "stack", [step[at] for step in ordered], output, axis=0)
