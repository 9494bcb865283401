"""Connectionist temporal classification: decoding, and the loss with its gradient.

Logits are [time, batch, classes]; the last class is the blank. Sources:
tensorflow/core/kernels/ctc_decoder_ops.cc, ctc_loss_op.cc, tensorflow/core/util/ctc/; A. Graves et
al., ICML 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax

_NEVER = -1e30    # the logarithm of what cannot be: finite, so that its gradients are


def _as_sparse(rows: Sequence[Sequence[int]]) -> tuple[Any, Any, Any]:
    places = [(row, column) for row, labels in enumerate(rows) for column in range(len(labels))]
    values = [label for labels in rows for label in labels]
    return (np.array(places, np.int64).reshape(-1, 2), np.array(values, np.int64),
            np.array([len(rows), max(map(len, rows), default=0)], np.int64))


@rule("CTCGreedyDecoder", static=(0, 1), attrs="merge_repeated blank_index", folds=True)
def _greedy(node: Node, logits: Any, lengths: Any) -> Any:
    """The best class of each step; minus the sum of their logits is the score."""
    blank = node["blank_index"] % logits.shape[2]
    rows, scores = [], np.zeros((logits.shape[1], 1), logits.dtype)
    for entry, length in enumerate(lengths):
        best = logits[:length, entry].argmax(-1)
        labels, before = [], -1
        for step, label in enumerate(best):
            scores[entry, 0] -= logits[step, entry, label]
            if label != blank and not (node["merge_repeated"] and label == before):
                labels.append(int(label))
            before = label
        rows.append(labels)
    return (*_as_sparse(rows), scores)


class _Beam:
    """A prefix: the log probabilities that it ends in a blank or in its last label."""

    def __init__(self, labels: tuple[int, ...], blank: Any, label: Any) -> None:
        self.labels, self.blank, self.label = labels, blank, label

    @property
    def total(self) -> Any:
        """Of both endings together."""
        return np.logaddexp(self.blank, self.label)


def _search(logits: Any, width: int) -> list[_Beam]:
    """The best prefixes once all steps are taken, the best first."""
    beams = [_Beam((), 0.0, -np.inf)]
    for step in logits.astype(np.float64):
        chances = step - np.logaddexp.reduce(step)
        held = {beam.labels: beam for beam in beams}
        made: dict[tuple[int, ...], _Beam] = {}
        for beam in beams:
            label = -np.inf
            if beam.labels:
                parent = held.get(beam.labels[:-1])
                label = beam.label
                if parent is not None:
                    same = len(beam.labels) > 1 and beam.labels[-2] == beam.labels[-1]
                    label = np.logaddexp(label, parent.blank if same else parent.total)
                label += chances[beam.labels[-1]]
            made[beam.labels] = _Beam(beam.labels, beam.total + chances[-1], label)
        for beam in beams:
            for label in range(len(chances) - 1):
                longer = (*beam.labels, label)
                if longer not in made:
                    same = bool(beam.labels) and beam.labels[-1] == label
                    made[longer] = _Beam(
                        longer, -np.inf, (beam.blank if same else beam.total) + chances[label])
        beams = sorted(made.values(), key=lambda each: -each.total)[:width]
    return beams


@rule("CTCBeamSearchDecoder", static=(0, 1), attrs="beam_width top_paths merge_repeated",
      folds=True)
def _beam_search(node: Node, logits: Any, lengths: Any) -> Any:
    """Indices, then values, then shapes of each path; their log probabilities [batch, paths]."""
    paths = node["top_paths"]
    rows: list[list[list[int]]] = [[] for _ in range(paths)]
    scores = np.zeros((logits.shape[1], paths), logits.dtype)
    for entry, length in enumerate(lengths):
        beams = _search(logits[:length, entry], node["beam_width"])
        if len(beams) < paths:
            raise ExecutionError("Less leaves in the beam search than requested.")
        for place, beam in enumerate(beams[:paths]):
            labels = [label for at, label in enumerate(beam.labels) if not (
                node["merge_repeated"] and at and beam.labels[at - 1] == label)]
            rows[place].append(labels)
            scores[entry, place] = beam.total
    found = [_as_sparse(each) for each in rows]
    return [*(each[0] for each in found), *(each[1] for each in found),
            *(each[2] for each in found), scores]


@rule("CTCLoss", "CTCLossV2", static=(1, 2, 3), attrs="preprocess_collapse_repeated "
      "ctc_merge_repeated ignore_longer_outputs_than_inputs")
def _loss(node: Node, logits: Any, places: Any, values: Any, lengths: Any) -> Any:
    """The loss [batch], and its gradient by the logits."""
    logits = to_jax(logits)
    first = node.op == "CTCLossV2"    # its blank is the first class
    rows = []
    for entry in range(logits.shape[1]):
        labels = values[places[:, 0] == entry].tolist()
        if node["preprocess_collapse_repeated"]:
            labels = [each for at, each in enumerate(labels) if not at or labels[at - 1] != each]
        rows.append(labels)
    losses = [_one_loss(node, logits[:int(length), entry], labels, first)
              for entry, (labels, length) in enumerate(zip(rows, lengths, strict=True))]
    gradients = [jax.grad(loss)(logits[:int(length), entry])
                 for entry, (loss, length) in enumerate(zip(losses, lengths, strict=True))]
    padded = [jnp.pad(each, [(0, logits.shape[0] - each.shape[0]), (0, 0)]) for each in gradients]
    return (jnp.stack([loss(logits[:int(length), entry]) for entry, (loss, length) in enumerate(
        zip(losses, lengths, strict=True))]), lax.stop_gradient(jnp.stack(padded, 1)))


def _one_loss(node: Node, logits: Any, labels: list[int], first: bool) -> Any:
    """Minus the log probability of all alignments of the labels with the steps."""
    blank = 0 if first else logits.shape[1] - 1
    if not all(0 <= label < logits.shape[1] and label != blank for label in labels):
        raise ExecutionError(f"labels {labels}; expected some of {logits.shape[1]} classes, "
                             f"{blank} is the blank")
    repeats = sum(a == b for a, b in pairwise(labels))
    if len(labels) + (repeats if node["ctc_merge_repeated"] else 0) > logits.shape[0]:
        if not node["ignore_longer_outputs_than_inputs"]:
            raise ExecutionError(f"Not enough time for target transition sequence (required: "
                                 f"{len(labels) + repeats}, available: {logits.shape[0]})")
        return lambda logits: (logits * 0).sum()
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2] if node["ctc_merge_repeated"] else True
    stays = np.ones(len(states), bool) if node["ctc_merge_repeated"] else states == blank
    start = np.where(np.arange(len(states)) < 2, 0.0, _NEVER)

    def loss(logits: Any) -> Any:
        chances = jax.nn.log_softmax(logits)[:, states]

        def advance(held: Any, chance: Any) -> Any:
            one = jnp.pad(held[:-1], (1, 0), constant_values=_NEVER)
            two = jnp.where(skips, jnp.pad(held, (2, 0), constant_values=_NEVER)[:-2], _NEVER)
            same = jnp.where(stays, held, _NEVER)
            return jax.nn.logsumexp(jnp.stack([same, one, two]), 0) + chance, None

        held, _ = lax.scan(advance, jnp.asarray(start, logits.dtype) + chances[0], chances[1:])
        return -jax.nn.logsumexp(held[-2:])

    return loss
