"""Reading and writing at indices, and order."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from case import BATCH, SPECIAL, Arg, Case
from jax import lax

TABLE = Arg((7, 5))
IDS = Arg((BATCH,), "int32", 0, 6)
WILD = Arg((BATCH,), "int32", -12, 12)
X, F = Arg((BATCH, 4, 6)), Arg((BATCH, 6))
ROWS = Arg((BATCH, 3), "int32", -9, 9)

GATHER = [
    *(Case("gather", f"take {dtype}", lambda t, i: jnp.take(t, i, axis=0),
           (Arg((7, 5), dtype), IDS))
      for dtype in ("float32", "bfloat16", "int32", "uint8", "bool")),
    *(Case("gather", f"ids {dtype}", lambda t, i: jnp.take(t, i, axis=0),
           (TABLE, Arg((BATCH,), dtype, 0, 6)), x64="64" in dtype)
      for dtype in ("int8", "uint8", "int64", "uint32")),
    *(Case("gather", f"take {mode}", lambda t, i, m=mode: jnp.take(t, i, axis=0, mode=m),
           (TABLE, WILD))
      for mode in ("clip", "fill", "wrap")),
    *(Case("gather", f"fill {dtype}", lambda t, i: jnp.take(t, i, axis=0, mode="fill"),
           (Arg((7, 5), dtype), WILD)) for dtype in ("int32", "uint8", "bool", "float16")),
    Case("gather", "fill value", lambda t, i: jnp.take(t, i, axis=0, mode="fill", fill_value=-1.0),
         (TABLE, WILD)),
    Case("gather", "getitem beyond", lambda t, i: t[i], (TABLE, WILD)),
    Case("gather", "second axis", lambda t, i: jnp.take(t, i, axis=1), (Arg((5, 7)), IDS)),
    Case("gather", "rows of rows", lambda t, i: t[i], (TABLE, Arg((BATCH, 3), "int32", 0, 6))),
    Case("gather", "pairs", lambda t, i, j: t[i, j], (TABLE, IDS, Arg((BATCH,), "int32", -9, 9))),
    Case("gather", "crossed", lambda t, i, j: t[i[:, None], j[None, :]],
         (TABLE, IDS, Arg((3,), "int32", 0, 4))),
    Case("gather", "split by a slice", lambda x, i, j: x[i, :, j],
         (Arg((7, 3, 5)), IDS, Arg((BATCH,), "int32", 0, 4))),
    Case("gather", "of the batch", lambda x, i: x[i], (F, Arg((4,), "int32", -5, 5)),
         batches=(3, 1)),
    Case("gather", "take_along_axis", lambda x, i: jnp.take_along_axis(x, i, axis=1), (F, ROWS)),
    Case("gather", "take_along_axis middle",
         lambda x, i: jnp.take_along_axis(x, i[:, :, None], axis=1), (X, ROWS)),
    Case("gather", "constant list", lambda x: x[:, jnp.array([3, 0, 0])], (X,)),
    Case("gather", "constant negative", lambda x: x[:, jnp.array([-1, -4])], (X,)),
    Case("gather", "scalar", lambda x, i: x[:, i], (X, Arg((), "int32", -3, 3))),
    Case("gather", "mask of ints", lambda x, i: x[jnp.arange(x.shape[0]), i], (F, WILD)),
    Case("gather", "choose class", lambda x, i: jnp.take_along_axis(x, i[:, None], 1)[:, 0],
         (F, IDS)),
    Case("gather", "windows", lambda t, i: lax.gather(
        t, i[:, None], lax.GatherDimensionNumbers((1, 2), (), (0,)), (3, 4)), (TABLE, WILD)),
    Case("gather", "windows fill", lambda t, i: lax.gather(
        t, i[:, None], lax.GatherDimensionNumbers((1, 2), (), (0,)), (3, 4), mode="fill"),
        (TABLE, WILD)),
    Case("dynamic_slice", "scalar", lambda x, i: lax.dynamic_slice_in_dim(x, i, 2, axis=1),
         (X, Arg((), "int32", -3, 9))),
    Case("dynamic_slice", "constant", lambda x: lax.dynamic_slice(x[0], (1, 9), (2, 3)), (X,),
         batches=(3, 1)),
    Case("dynamic_slice", "whole batch", lambda x, i, j: lax.dynamic_slice(
        x, (0, i, j), (x.shape[0], 2, 2)), (X, Arg((), "int32", -3, 9), Arg((), "int32", -3, 9))),
    Case("dynamic_slice", "along batch", lambda x, i: lax.dynamic_index_in_dim(x, i, 0),
         (F, Arg((), "int32", 0, 9)), batches=(3, 1)),
    Case("dynamic_update_slice", "scalar", lambda x, i: lax.dynamic_update_slice_in_dim(
        x, jnp.ones((x.shape[0], 2, 6)), i, axis=1), (X, Arg((), "int32", -3, 9))),
    Case("dynamic_update_slice", "constant", lambda x: lax.dynamic_update_slice(
        x, jnp.ones((x.shape[0], 2, 3)), (0, 1, 2)), (X,)),
    Case("dynamic_update_slice", "int", lambda x, i: lax.dynamic_update_index_in_dim(
        x, x[:, 0], i, 1), (Arg((BATCH, 4), "int32"), Arg((), "int32", 0, 3))),
]


def scatter(name: str, method: str, **kwargs: Any) -> list[Case]:
    """The ways to write: rows, pairs, slices, with indices beyond the bounds."""
    def write(target: Any, *rest: Any) -> Any:
        return getattr(target, method)(*rest, **kwargs)
    new = Arg((BATCH, 5), low=0.5, high=1.5)
    return [
        Case(name, f"rows {kwargs}", lambda t, i, v: write(t.at[i], v), (TABLE, WILD, new)),
        Case(name, f"pairs {kwargs}", lambda t, i, j, v: write(t.at[i, j], v),
             (TABLE, WILD, Arg((BATCH,), "int32", -7, 7), Arg((BATCH,), low=0.5, high=1.5))),
        Case(name, f"column {kwargs}", lambda x: write(x.at[:, 2], 1.5), (F,)),
        Case(name, f"slice {kwargs}", lambda x: write(x.at[:, 1:3], 2.0), (F,)),
        Case(name, f"own row {kwargs}", lambda x, i: write(
            x.at[jnp.arange(x.shape[0]), i], 0.5), (F, WILD)),
        Case(name, f"int {kwargs}", lambda t, i: write(t.at[i], 3),
             (Arg((7, 5), "int32"), IDS)),
    ]


UNIQUE = Arg((BATCH,), "int32", values=(4, -2, 11, 0))
SCATTER = [
    *scatter("scatter-add", "add"),
    *scatter("scatter-sub", "subtract"),
    *scatter("scatter-mul", "multiply"),
    *scatter("scatter-max", "max"),
    *scatter("scatter-min", "min"),
    *scatter("scatter-add", "add", mode="clip"),
    Case("scatter", "rows", lambda t, i, v: t.at[i].set(v), (TABLE, UNIQUE, Arg((BATCH, 5)))),
    Case("scatter", "pairs", lambda t, i: t.at[i, 1].set(9.0), (TABLE, UNIQUE)),
    Case("scatter", "column", lambda x: x.at[:, 2].set(1.5), (F,)),
    Case("scatter", "slice", lambda x: x.at[:, 1:3].set(1.5), (F,)),
    Case("scatter", "strided", lambda x: x.at[:, ::2].set(1.5), (F,)),
    Case("scatter", "own row", lambda x, i: x.at[jnp.arange(x.shape[0]), i].set(7.0), (F, WILD)),
    Case("scatter", "bool", lambda x: x.at[:, 0].set(True), (Arg((BATCH, 3), "bool"),)),
    Case("scatter", "diagonal", lambda x: x.at[:, jnp.arange(4), jnp.arange(4)].set(0.0), (X,)),
    Case("scatter", "windows", lambda t, i: lax.scatter(
        t, i[:, None], jnp.ones((i.shape[0], 2, 5)),
        lax.ScatterDimensionNumbers((1, 2), (), (0,))), (TABLE, Arg((BATCH,), "int32", 0, 7))),
    Case("scatter", "part of a row", lambda t, i: lax.scatter(
        t, i[:, None], jnp.ones((i.shape[0], 3)),
        lax.ScatterDimensionNumbers((1,), (0,), (0,))), (TABLE, UNIQUE)),
    Case("scatter", "segment_sum", lambda x, i: jnp.zeros((4, 6)).at[i].add(x),
         (F, Arg((BATCH,), "int32", 0, 3))),
    Case("scatter", "bincount", lambda i: jnp.bincount(i, length=5),
         (Arg((BATCH,), "int32", 0, 4),)),
]

EDGES = Arg((BATCH, len(SPECIAL)), values=SPECIAL[3:] + SPECIAL[:3])
SORT = [
    *(Case("sort", dtype, lambda x: jnp.sort(x, axis=-1), (Arg((BATCH, 9), dtype),),
           x64="64" in dtype)
      for dtype in ("float32", "bfloat16", "float64", "int32", "int64", "uint8", "uint32", "uint64",
                    "bool")),
    Case("sort", "special", lambda x: jnp.sort(x, axis=-1), (EDGES,)),
    Case("sort", "argsort special", lambda x: jnp.argsort(x, axis=-1), (EDGES,)),
    Case("sort", "argsort ties", lambda x: jnp.argsort(x, axis=-1), (Arg((BATCH, 9), "int32"),)),
    Case("sort", "argsort descending", lambda x: jnp.argsort(x, axis=-1, descending=True),
         (Arg((BATCH, 9), "int32"),)),
    Case("sort", "middle axis", lambda x: jnp.sort(x, axis=1), (X,)),
    Case("sort", "batch", lambda x: jnp.sort(x, axis=0), (F,)),
    Case("sort", "alone", jnp.sort, (Arg((9,)),)),
    Case("sort", "key and values", lambda k, v: lax.sort((k, v), dimension=1, num_keys=1),
         (Arg((BATCH, 6), "int32"), F)),
    Case("sort", "two keys", lambda k, v: lax.sort((k, v), dimension=1, num_keys=2),
         (Arg((BATCH, 6), "int32", 0, 2), Arg((BATCH, 6), "int32", 0, 2))),
    *(Case("top_k", dtype, lambda x: lax.top_k(x, 3), (Arg((BATCH, 9), dtype, -100, 100),))
      for dtype in ("float32", "bfloat16", "int32", "uint8")),
    Case("top_k", "middle axis", lambda x: lax.top_k(x, 2, axis=1), (X,)),
    Case("approx_top_k", "max", lambda x: lax.approx_max_k(x, 3), (Arg((BATCH, 9)),)),
    Case("approx_top_k", "min", lambda x: lax.approx_min_k(x, 3), (Arg((BATCH, 9)),)),
    Case("searchsorted", "scan", lambda x: jnp.searchsorted(jnp.arange(5.0), x), (F,)),
    Case("digitize", "bins", lambda x: jnp.digitize(x, jnp.linspace(-2, 2, 5)), (F,)),
    Case("interp", "table", lambda x: jnp.interp(x, jnp.linspace(-2, 2, 5), jnp.arange(5.0) ** 2),
         (F,)),
]

CASES = [*GATHER, *SCATTER, *SORT]
