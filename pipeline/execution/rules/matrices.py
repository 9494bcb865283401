"""Matrices in the last two axes: factorizations, solutions, diagonals."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as linalg
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.elementwise import jax_only
from pipeline.execution.values import is_static, jax_dtype, scalar, to_jax, vector


def _adjoint(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _diagonal_matrix(x: Any) -> Any:
    return jnp.where(jnp.eye(x.shape[-1], dtype=bool), x[..., None], jnp.zeros_like(x[..., None]))


jax_only(
    MatrixDeterminant=jnp.linalg.det, BatchMatrixDeterminant=jnp.linalg.det,
    LogMatrixDeterminant=lambda x: tuple(jnp.linalg.slogdet(x)),
    MatrixDiag=_diagonal_matrix, BatchMatrixDiag=_diagonal_matrix,
    MatrixDiagPart=lambda x: jnp.diagonal(x, axis1=-2, axis2=-1),
    BatchMatrixDiagPart=lambda x: jnp.diagonal(x, axis1=-2, axis2=-1),
)


def _vectorized(function: Any, x: Any) -> Any:
    """A function of one matrix over all leading axes."""
    flat = x.reshape(-1, *x.shape[-2:])
    return jax.vmap(function)(flat).reshape(*x.shape[:-2], *x.shape[-2:])


@rule("MatrixExponential")
def _matrix_exponential(node: Node, x: Any) -> Any:
    return _vectorized(linalg.expm, to_jax(x))


@rule("MatrixInverse", "BatchMatrixInverse", attrs="adjoint")
def _matrix_inverse(node: Node, x: Any) -> Any:
    """Of half precision in float32: LAPACK has no halves."""
    x = to_jax(x)
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return jnp.linalg.inv(_adjoint(wide) if node["adjoint"] else wide).astype(x.dtype)


@rule("MatrixSolve", "BatchMatrixSolve", attrs="adjoint")
def _matrix_solve(node: Node, matrix: Any, right: Any) -> Any:
    matrix = to_jax(matrix)
    return jnp.linalg.solve(_adjoint(matrix) if node["adjoint"] else matrix, to_jax(right))


@rule("MatrixTriangularSolve", "BatchMatrixTriangularSolve", attrs="lower adjoint")
def _triangular_solve(node: Node, matrix: Any, right: Any) -> Any:
    matrix, right = to_jax(matrix), to_jax(right)
    batch = jnp.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    matrix = jnp.broadcast_to(matrix, batch + matrix.shape[-2:])
    right = jnp.broadcast_to(right, batch + right.shape[-2:])
    return lax.linalg.triangular_solve(
        matrix, right, left_side=True, lower=node["lower"], transpose_a=node["adjoint"],
        conjugate_a=node["adjoint"])


@rule("MatrixSolveLs", static=(2,), attrs="fast")
def _least_squares(node: Node, matrix: Any, right: Any, regularizer: Any) -> Any:
    """By the normal equations, as `fast` does; the other way gives the same for full rank."""
    matrix, right = to_jax(matrix), to_jax(right)
    penalty = float(regularizer)
    rows, columns = matrix.shape[-2:]
    if rows >= columns:
        gram = _adjoint(matrix) @ matrix + penalty * jnp.eye(columns, dtype=matrix.dtype)
        return jnp.linalg.solve(gram, _adjoint(matrix) @ right)
    gram = matrix @ _adjoint(matrix) + penalty * jnp.eye(rows, dtype=matrix.dtype)
    return _adjoint(matrix) @ jnp.linalg.solve(gram, right)


@rule("Lu", attrs="output_idx_type")
def _lu(node: Node, x: Any) -> Any:
    factors, _, permutation = lax.linalg.lu(to_jax(x))
    return factors, permutation.astype(jax_dtype(node["output_idx_type"]))


@rule("Qr", attrs="full_matrices")
def _qr(node: Node, x: Any) -> Any:
    return tuple(jnp.linalg.qr(to_jax(x), "complete" if node["full_matrices"] else "reduced"))


@rule("Svd", attrs="compute_uv full_matrices")
def _svd(node: Node, x: Any) -> Any:
    """Singular values, left vectors, right vectors as columns."""
    x = to_jax(x)
    if not node["compute_uv"]:
        empty = jnp.zeros((), x.dtype)
        return jnp.linalg.svd(x, compute_uv=False), empty, empty
    left, values, right = jnp.linalg.svd(x, full_matrices=node["full_matrices"])
    return values, left, _adjoint(right)


@rule("TridiagonalSolve", attrs="partial_pivoting perturb_singular")
def _tridiagonal_solve(node: Node, diagonals: Any, right: Any) -> Any:
    """Diagonals [..., 3, n]: above, main, below."""
    diagonals, right = to_jax(diagonals), to_jax(right)
    upper, main, lower = (diagonals[..., place, :] for place in range(3))
    return lax.linalg.tridiagonal_solve(
        lower.at[..., 0].set(0), main, upper.at[..., -1].set(0), right)


@rule("TridiagonalMatMul")
def _tridiagonal_mat_mul(node: Node, upper: Any, main: Any, lower: Any, right: Any) -> Any:
    """Each diagonal [..., 1, n]."""
    upper, main, lower, right = map(to_jax, (upper, main, lower, right))
    column = [jnp.swapaxes(each, -1, -2) for each in (upper, main, lower)]
    result = column[1] * right
    result = result.at[..., :-1, :].add(column[0][..., :-1, :] * right[..., 1:, :])
    return result.at[..., 1:, :].add(column[2][..., 1:, :] * right[..., :-1, :])


@rule("MatrixBandPart", "BatchMatrixBandPart")
def _band_part(node: Node, x: Any, lower: Any, upper: Any) -> Any:
    """A negative number keeps the whole triangle."""
    x, lower, upper = map(to_jax, (x, lower, upper))
    rows, columns = jnp.indices(x.shape[-2:])
    keep = ((lower < 0) | (rows - columns <= lower)) & ((upper < 0) | (columns - rows <= upper))
    return jnp.where(keep, x, jnp.zeros_like(x))


@rule("Diag")
def _diag(node: Node, x: Any) -> Any:
    """Shape [s…] becomes [s…, s…]."""
    x = to_jax(x)
    return jnp.diag(x.ravel()).reshape(x.shape * 2)


@rule("DiagPart")
def _diag_part(node: Node, x: Any) -> Any:
    x = to_jax(x)
    half = x.shape[:x.ndim // 2]
    size = int(np.prod(half))
    return jnp.diagonal(x.reshape(size, size)).reshape(half)


class _Band:
    """The diagonals k0…k1 of matrices with `rows` and `columns`, packed the way V2 and V3 do."""

    def __init__(self, rows: int, columns: int, k: Any, align: str) -> None:
        if not is_static(k):
            raise ExecutionError("k is computed from what is fed")
        bounds = vector(np.atleast_1d(k))
        self.low, self.high = bounds[0], bounds[-1]
        if not -rows < self.low <= self.high < columns and (rows, columns) != (0, 0):
            raise ExecutionError(f"diagonals {bounds} of a {rows} × {columns} matrix")
        self.rows, self.columns, self.align = rows, columns, align
        self.width = max(self.length(k) for k in range(self.low, self.high + 1))

    def length(self, k: int) -> int:
        """How many elements diagonal `k` has."""
        return min(self.rows + min(k, 0), self.columns - max(k, 0))

    def places(self) -> tuple[Any, Any, Any, Any]:
        """Of every element: its row and column, its row in the packed form, its place there."""
        found = []
        for index, k in enumerate(range(self.high, self.low - 1, -1)):
            length = self.length(k)
            right = self.align.split("_")[0 if k > 0 else 1] == "RIGHT" if k else (
                self.align in ("RIGHT_LEFT", "RIGHT_RIGHT"))
            start = self.width - length if right else 0
            steps = np.arange(length)
            found.append(np.stack([steps + max(-k, 0), steps + max(k, 0),
                                   np.full(length, index), steps + start]))
        return tuple(np.concatenate(found, 1))


def _align(node: Node) -> str:
    return str(node.attrs.get("align", "LEFT_LEFT"))


@rule("MatrixDiagPartV2", "MatrixDiagPartV3", static=(1,), attrs="align")
def _diag_part_band(node: Node, x: Any, k: Any, padding: Any) -> Any:
    x, padding = to_jax(x), to_jax(padding)
    band = _Band(x.shape[-2], x.shape[-1], k, _align(node))
    rows, columns, packed, place = band.places()
    count = band.high - band.low + 1
    filled = jnp.broadcast_to(padding, (*x.shape[:-2], count, band.width))
    filled = filled.at[..., packed, place].set(x[..., rows, columns])
    return filled[..., 0, :] if band.low == band.high else filled


@rule("MatrixDiagV2", "MatrixDiagV3", static=(1, 2, 3), attrs="align")
def _diag_band(node: Node, x: Any, k: Any, rows: Any, columns: Any, padding: Any) -> Any:
    x, padding = to_jax(x), to_jax(padding)
    low, *_, high = vector(np.atleast_1d(k).repeat(2))
    if low == high:
        x = x[..., None, :]
    least = (x.shape[-1] + max(-high, 0), x.shape[-1] + max(low, 0))
    sizes = [scalar(each) for each in (rows, columns)]
    wanted = _matrix_shape(sizes, least)
    return _set_band(x, jnp.broadcast_to(padding, (*x.shape[:-2], *wanted)), k, _align(node))


def _matrix_shape(sizes: list[int], least: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns, -1 meaning as few as the diagonals need."""
    if sizes == [-1, -1]:
        return (max(least), max(least))
    return (sizes[0] if sizes[0] != -1 else least[0], sizes[1] if sizes[1] != -1 else least[1])


@rule("MatrixSetDiagV2", "MatrixSetDiagV3", static=(2,), attrs="align")
def _set_diag_band(node: Node, x: Any, diagonal: Any, k: Any) -> Any:
    diagonal = to_jax(diagonal)
    if np.ptp(k) == 0:
        diagonal = diagonal[..., None, :]
    return _set_band(diagonal, to_jax(x), k, _align(node))


@rule("MatrixSetDiag", "BatchMatrixSetDiag")
def _set_diag(node: Node, x: Any, diagonal: Any) -> Any:
    return _set_band(to_jax(diagonal)[..., None, :], to_jax(x), np.zeros((), np.int32),
                     "LEFT_LEFT")


def _set_band(packed: Any, x: Any, k: Any, align: str) -> Any:
    """`x` with the packed diagonals [..., count, width] in their places."""
    band = _Band(x.shape[-2], x.shape[-1], k, align)
    rows, columns, row, place = band.places()
    if packed.shape[-2:] != (band.high - band.low + 1, band.width):
        raise ExecutionError(f"diagonals packed as {packed.shape[-2:]}; expected "
                             f"{(band.high - band.low + 1, band.width)}")
    return x.at[..., rows, columns].set(packed[..., row, place])
