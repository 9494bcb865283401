"""Matrix decompositions, each of the last two dimensions."""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.errors import Unsupported
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.shape import transpose
from pipeline.lowering.tensor import Operand


def _adjoint(b: Builder, x: Operand) -> Operand:
    """The conjugate transpose of each matrix."""
    flipped = _flip(b, x)
    return b.op("Conj", flipped) if x.dtype.kind == "c" else flipped


def _flip(b: Builder, x: Operand) -> Operand:
    rank = len(x.shape)
    return transpose(b, x, [*range(rank - 2), rank - 1, rank - 2])


@rule("cholesky")
def _cholesky(b: Builder, e: Equation) -> Operand:
    x = b.full(e.inputs[0])
    if e.params.get("symmetrize_input", False):
        half = np.asarray(0.5, x.dtype)
        x = b.op("Mul", b.op("Add", x, _adjoint(b, x)), half)
    return b.op("Cholesky", x, shape=e.output.shape)


@rule("triangular_solve")
def _triangular_solve(b: Builder, e: Equation) -> Operand:
    """op(a) x = b, or x op(a) = b, which is op(a)ᵀ xᵀ = bᵀ."""
    a, right = b.full_operands(e)
    params = e.params
    lower, adjoint = params["lower"], params["transpose_a"]
    if a.dtype.kind == "c" and params["conjugate_a"] != params["transpose_a"]:
        a = b.op("Conj", a)
    if params["unit_diagonal"]:
        ones = b.expand(np.ones((), a.dtype), a.shape[:-1])
        a = b.op("MatrixSetDiag", a, ones, shape=a.shape)
    if not params["left_side"]:
        if a.dtype.kind == "c":
            a = b.op("Conj", a)
        right, adjoint = _flip(b, right), not adjoint
    solved = b.op("MatrixTriangularSolve", a, right, shape=right.shape, lower=lower,
                  adjoint=adjoint)
    return solved if params["left_side"] else _flip(b, solved)


@rule("lu")
def _lu(b: Builder, e: Equation) -> list[Operand]:
    """TensorFlow gives the permutation; the pivots, one exchange after another, follow from it."""
    x = b.full(e.inputs[0])
    rows, columns = x.shape[-2:]
    if rows != columns:
        raise Unsupported("matrices that are not square")
    batch = x.shape[:-2]
    packed, order = b.ops("Lu", x, shapes=[x.shape, (*batch, rows)])
    return [packed, _pivots(b, order), order]


def _pivots(b: Builder, order: Operand) -> Operand:
    """Exchange place i with the place where order[i] is now, for i = 0, 1, …"""
    *batch, size = order.shape
    if not isinstance(size, int):
        raise Unsupported("matrices of unknown size")
    places = np.arange(size, dtype=np.int32).reshape((1,) * len(batch) + (size,))
    now: Operand = b.expand(places, order.shape)
    pivots = []
    for index, wanted in enumerate(_columns(b, order, size)):
        found = b.op("Equal", now, b.reshape(wanted, (*batch, 1)))
        numbered = b.op("Mul", b.cast(found, np.dtype(np.int32)), places)
        last = np.asarray([len(batch)], np.int32)
        pivot = b.op("Sum", numbered, last, shape=tuple(batch))
        pivots.append(pivot)
        held = b.reshape(_columns(b, now, size)[index], (*batch, 1))
        now = b.select(found, held, now)
        now = b.select(np.equal(places, index), b.reshape(wanted, (*batch, 1)), now)
    return b.stack(pivots, len(batch))


def _columns(b: Builder, x: Operand, size: int) -> list[Operand]:
    batch = tuple(x.shape[:-1])
    return list(b.ops("Unpack", x, shapes=[batch] * size, num=size, axis=len(batch)))


@rule("lu_pivots_to_permutation")
def _lu_pivots_to_permutation(b: Builder, e: Equation) -> Operand:
    """Exchange place i with place pivots[i], for i = 0, 1, …"""
    pivots, size = b.full(e.inputs[0]), e.params["permutation_size"]
    *batch, count = pivots.shape
    places = np.arange(size, dtype=np.int32).reshape((1,) * len(batch) + (size,))
    now: Operand = b.expand(places, (*batch, size))
    for index, pivot in enumerate(_columns(b, pivots, count)):
        chosen = b.op("Equal", b.reshape(pivot, (*batch, 1)), places)
        there = b.op("Sum", b.op("Mul", b.cast(chosen, np.dtype(np.int32)), now),
                     np.asarray([len(batch)], np.int32), shape=tuple(batch))
        here = b.reshape(_columns(b, now, size)[index], (*batch, 1))
        now = b.select(chosen, here, now)
        now = b.select(np.equal(places, index), b.reshape(there, (*batch, 1)), now)
    return now


@rule("qr")
def _qr(b: Builder, e: Equation) -> list[Operand]:
    if e.params.get("pivoting"):
        raise Unsupported("pivoting")
    x = b.full(e.inputs[0])
    return list(b.ops("Qr", x, shapes=[value.shape for value in e.outputs],
                      full_matrices=e.params["full_matrices"]))


@rule("svd")
def _svd(b: Builder, e: Equation) -> list[Operand]:
    """JAX gives s, u, vᴴ; TensorFlow s, u, v."""
    x, full = b.full(e.inputs[0]), e.params["full_matrices"]
    if e.params.get("subset_by_index"):
        raise Unsupported("a subset of the singular values")
    if not e.params["compute_uv"]:
        return [b.op("Svd", x, shape=e.output.shape, compute_uv=False)]
    values, left, right = e.outputs
    transposed = (*right.shape[:-2], right.shape[-1], right.shape[-2])
    s, u, v = b.ops("Svd", x, shapes=[values.shape, left.shape, transposed], full_matrices=full)
    return [s, u, _adjoint(b, v)]


@rule("eigh")
def _eigh(b: Builder, e: Equation) -> list[Operand]:
    """JAX gives the vectors first; both ascend. TensorFlow reads the lower triangle."""
    if e.params.get("subset_by_index"):
        raise Unsupported("a subset of the eigenvalues")
    x = b.full(e.inputs[0])
    if not e.params["lower"]:
        x = _adjoint(b, x)
    vectors, values = e.outputs
    w: Operand
    w, v = b.ops("SelfAdjointEigV2", x, shapes=[values.shape, vectors.shape])
    if x.dtype.kind == "c":    # a Hermitian matrix has real eigenvalues; TensorFlow's are complex
        w = b.op("Real", w, Tout=values.dtype)
    return [v, w]


@rule("fft")
def _fft(b: Builder, e: Equation) -> Operand:
    kind, lengths = e.params["fft_type"].name, e.params["fft_lengths"]
    if len(lengths) > 3:
        raise Unsupported(f"{len(lengths)} dimensions")
    op = kind if len(lengths) == 1 else f"{kind}{len(lengths)}D"
    x = b.full(e.inputs[0])
    if kind == "RFFT":
        return b.op(op, x, b.sizes(lengths), shape=e.output.shape, Tcomplex=e.output.dtype)
    if kind == "IRFFT":
        return b.op(op, x, b.sizes(lengths), shape=e.output.shape, Treal=e.output.dtype)
    return b.op(op, x, shape=e.output.shape)
