"""Loops and branches that stay: StatelessWhile and StatelessIf over functions of the library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.function import FunctionBuilder, lower_body
from pipeline.lowering.ir import Equation, Program
from pipeline.lowering.registry import rule
from pipeline.lowering.tensor import Operand, Tensor

_INT = np.dtype(np.int32)


@rule("copy_value")
def _copy_value(b: Builder, e: Equation) -> Operand:
    return b.operand(e.inputs[0])


def _tensors(b: Builder, e: Equation) -> list[Tensor]:
    return [b.result(value) for value in e.inputs]


def _enter(
    b: Builder, name: str, outside: Sequence[Tensor]
) -> tuple[FunctionBuilder, list[Tensor]]:
    inner = FunctionBuilder(b, name)
    return inner, [inner.add_input(f"input_{at}", tensor) for at, tensor in enumerate(outside)]


def _loop(
    b: Builder, cond: FunctionBuilder, holds: Tensor, body: FunctionBuilder,
    state: Sequence[Tensor], outside: Sequence[Tensor],
) -> list[Tensor]:
    """StatelessWhile: `body` turns the inputs into `state`, as long as `cond` `holds`."""
    symbols = list(dict.fromkeys([*cond.symbols, *body.symbols]))
    for name in symbols:
        body.symbol(name)
    functions = [cond.definition(symbols, [holds]),
                 body.definition(symbols, [*state, *(body.symbols[name] for name in symbols)])]
    b.library.extend(functions)
    inputs = [*outside, *(b.symbol(name) for name in symbols)]
    shapes = [[size if isinstance(size, int) else None for size in tensor.shape]
              for tensor in inputs]
    return b.ops("StatelessWhile", *inputs, shapes=[tensor.shape for tensor in inputs],
                 cond=cond.name, body=body.name, output_shapes=shapes)


@rule("while")
def _while(b: Builder, e: Equation) -> list[Tensor]:
    cond_consts, body_consts = e.params["cond_nconsts"], e.params["body_nconsts"]
    fixed = cond_consts + body_consts
    outside = _tensors(b, e)
    name = f"while_{b.count()}"
    cond, inputs = _enter(b, f"{name}_cond", outside)
    holds, = lower_body(cond, e.params["cond_jaxpr"], [*inputs[:cond_consts], *inputs[fixed:]])
    if holds.shape:
        holds = cond.op("Any", holds, np.arange(len(holds.shape), dtype=np.int32), shape=())
    body, inputs = _enter(b, f"{name}_body", outside)
    state = lower_body(body, e.params["body_jaxpr"], inputs[cond_consts:])
    if e.params["cond_jaxpr"].outputs[0].shape:
        state = _where_it_holds(body, e, inputs, state)
    made = _loop(b, cond, holds, body, [*inputs[:fixed], *state], outside)
    return made[fixed:len(outside)]


def _where_it_holds(
    body: FunctionBuilder, e: Equation, inputs: Sequence[Tensor], state: Sequence[Tensor]
) -> list[Tensor]:
    """A loop over a batch, each of which ends by itself: those that have ended stay as they are."""
    cond_consts, body_consts = e.params["cond_nconsts"], e.params["body_nconsts"]
    former = inputs[cond_consts + body_consts:]
    holds, = lower_body(body, e.params["cond_jaxpr"], [*inputs[:cond_consts], *former])
    chosen = []
    for new, old in zip(state, former, strict=True):
        shape = (*holds.shape, *(1,) * (len(new.shape) - len(holds.shape)))
        mask = holds if shape == holds.shape else body.reshape(holds, shape)
        chosen.append(body.select(mask, new, old))
    return chosen


@rule("scan")
def _scan(b: Builder, e: Equation) -> list[Tensor]:
    """A loop over a counter; what each step gives is set in a TensorList."""
    params, program = e.params, e.params["jaxpr"]
    consts, carry = params["num_consts"], params["num_carry"]
    length = b.tensor(b.size(params["length"]))
    lists = [_new_list(b, value.shape[1:], value.dtype, length) for value in e.outputs[carry:]]
    given = _tensors(b, e)
    outside = [b.tensor(np.zeros((), np.int32)), length, *given, *lists]
    name = f"scan_{b.count()}"
    cond, inputs = _enter(b, f"{name}_cond", outside)
    holds = cond.op("Less", inputs[0], inputs[1])
    body, inputs = _enter(b, f"{name}_body", outside)
    state = _step(body, program, inputs, consts, carry, params["reverse"])
    made = _loop(b, cond, holds, body, state, outside)[2:len(outside)]
    results = made[consts:consts + carry]
    stacked = [_stack_list(b, handle, value.shape, value.dtype)
               for handle, value in zip(made[len(given):], e.outputs[carry:], strict=True)]
    return [*results, *stacked]


def _step(
    body: FunctionBuilder, program: Program, inputs: Sequence[Tensor], consts: int, carry: int,
    reverse: bool,
) -> list[Tensor]:
    """[counter, length, constants, state, rows, lists] → the same after one step."""
    counter, length, *rest = inputs
    given = len(program.inputs)
    fixed, state = rest[:consts], rest[consts:consts + carry]
    rows, lists = rest[consts + carry:given], rest[given:]
    one = np.asarray(1, np.int32)
    index = body.op("Sub", body.op("Sub", length, counter), one) if reverse else counter
    elements = [body.op("GatherV2", row, index, np.asarray(0, np.int32), shape=row.shape[1:])
                for row in rows]
    found = lower_body(body, program, [*fixed, *state, *elements])
    filled = [body.op("TensorListSetItem", handle, index, item, shape=())
              for handle, item in zip(lists, found[carry:], strict=True)]
    return [body.op("Add", counter, one), length, *fixed, *found[:carry], *rows, *filled]


def _new_list(
    b: Builder, shape: Sequence[object], dtype: np.dtype[np.generic], length: Operand
) -> Tensor:
    return b.op("TensorListReserve", b.sizes(shape), length, shape=(), element_dtype=dtype)


def _stack_list(
    b: Builder, handle: Tensor, shape: Sequence[object], dtype: np.dtype[np.generic]
) -> Tensor:
    """A list that stayed empty is stacked too, as the elements' whole shape is given."""
    return b.op("TensorListStack", handle, b.sizes(shape[1:]), shape=tuple(shape),
                element_dtype=dtype)


@rule("cond")
def _cond(b: Builder, e: Equation) -> list[Tensor]:
    """Only the chosen branch runs."""
    which, *outside = _tensors(b, e)
    name = f"cond_{b.count()}"
    bodies, results = [], []
    for at, branch in enumerate(e.params["branches"]):
        body, inputs = _enter(b, f"{name}_branch_{at}", outside)
        results.append(lower_body(body, branch, inputs))
        bodies.append(body)
    symbols = list(dict.fromkeys(name for body in bodies for name in body.symbols))
    b.library.extend(body.definition(symbols, found)
                     for body, found in zip(bodies, results, strict=True))
    inputs = [*outside, *(b.symbol(name) for name in symbols)]
    shapes = [value.shape for value in e.outputs]
    types = [value.dtype for value in e.outputs]
    if len(bodies) == 2:
        holds = which if which.dtype.kind == "b" else b.op("NotEqual", which, np.zeros((), _INT))
        return b.ops("StatelessIf", holds, *inputs, shapes=shapes, Tout=types,
                     then_branch=bodies[1].name, else_branch=bodies[0].name)
    return b.ops("StatelessCase", which, *inputs, shapes=shapes, Tout=types,
                 branches=[body.name for body in bodies])
