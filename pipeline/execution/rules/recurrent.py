"""Fused recurrent cells. Source: tensorflow/core/kernels/rnn/lstm_ops.h, gru_ops.h."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax

_LSTM = "forget_bias cell_clip use_peephole"


def _lstm_step(
    node: Node, x: Any, cell: Any, hidden: Any, weights: Any, peepholes: Any, bias: Any,
    forget_bias: float, order: str,
) -> tuple[Any, ...]:
    """i, cell, f, o, candidate, tanh(cell), hidden; `order` says how the gates lie in weights."""
    joined = jnp.concatenate([x, hidden], 1) @ weights + bias
    parts = dict(zip(order, jnp.split(joined, 4, 1), strict=True))
    into, forget, out = (peepholes if node["use_peephole"] else (0, 0, 0))
    i = jax.nn.sigmoid(parts["i"] + cell * into)
    f = jax.nn.sigmoid(parts["f"] + forget_bias + cell * forget)
    candidate = jnp.tanh(parts["c"])
    cell = candidate * i + cell * f
    if node["cell_clip"] > 0:
        cell = jnp.clip(cell, -node["cell_clip"], node["cell_clip"])
    o = jax.nn.sigmoid(parts["o"] + cell * out)
    squashed = jnp.tanh(cell)
    return i, cell, f, o, candidate, squashed, o * squashed


@rule("LSTMBlockCell", attrs=_LSTM)
def _lstm_cell(
    node: Node, x: Any, cell: Any, hidden: Any, weights: Any, into: Any, forget: Any, out: Any,
    bias: Any,
) -> Any:
    x, cell, hidden, weights, into, forget, out, bias = map(
        to_jax, (x, cell, hidden, weights, into, forget, out, bias))
    return _lstm_step(node, x, cell, hidden, weights, (into, forget, out), bias,
                      node["forget_bias"], "icfo")


@rule("BlockLSTM", "BlockLSTMV2", attrs=_LSTM)
def _block_lstm(
    node: Node, length: Any, x: Any, cell: Any, hidden: Any, weights: Any, into: Any, forget: Any,
    out: Any, bias: Any,
) -> Any:
    """Over x [time, batch, inputs]; steps from `length` on give zeros."""
    x, cell, hidden, weights, into, forget, out, bias = map(
        to_jax, (x, cell, hidden, weights, into, forget, out, bias))
    first = node.op == "BlockLSTM"

    def step(state: Any, given: Any) -> Any:
        time, now = given
        cell, hidden = state
        found = _lstm_step(node, now, cell, hidden, weights, (into, forget, out), bias,
                           node["forget_bias"] if first else 0.0, "icfo" if first else "ifco")
        alive = time < length
        kept = tuple(jnp.where(alive, each, 0) for each in found)
        return (found[1], found[6]), kept

    times = jnp.arange(x.shape[0], dtype=to_jax(length).dtype)
    return lax.scan(step, (cell, hidden), (times, x))[1]


@rule("GRUBlockCell")
def _gru_cell(
    node: Node, x: Any, hidden: Any, gates: Any, candidate: Any, gate_bias: Any, bias: Any
) -> Any:
    """Reset and update gates, candidate, hidden."""
    x, hidden, gates, candidate, gate_bias, bias = map(
        to_jax, (x, hidden, gates, candidate, gate_bias, bias))
    both = jax.nn.sigmoid(jnp.concatenate([x, hidden], 1) @ gates + gate_bias)
    reset, update = jnp.split(both, 2, 1)
    new = jnp.tanh(jnp.concatenate([x, hidden * reset], 1) @ candidate + bias)
    return reset, update, new, hidden * update + new * (1 - update)
