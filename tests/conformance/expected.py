"""What JAX gives for the cases, computed many at a time.

Compiling is what takes the time, and one program of many small functions compiles about as fast as
one small function.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np
from case import Case
from cases import CASES

CHUNK = 40
_QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
Outputs = list[Any]


def outputs(case: Case) -> dict[int, Outputs]:
    """The results of a case as flat lists of arrays, by batch size."""
    chunk = next((chunk for chunk in _chunks() if case in chunk), (case,))
    found = _together(chunk)
    return {batch: found[case.id, batch] for batch in case.sizes}


@functools.cache
def _chunks() -> list[tuple[Case, ...]]:
    chunks = []
    for x64 in (False, True):
        cases = [case for case in CASES if case.x64 == x64 and case.limitation is None]
        chunks += [tuple(cases[at:at + CHUNK]) for at in range(0, len(cases), CHUNK)]
    return chunks


@functools.cache
def _together(cases: tuple[Case, ...]) -> dict[tuple[str, int], Outputs]:
    wanted = [(case, batch) for case in cases for batch in case.sizes]
    feeds = [(dict(case.variables), *case.feeds(batch).values()) for case, batch in wanted]

    def run(arguments: Any) -> Any:
        return [case.function(*each)
                for (case, _), each in zip(wanted, arguments, strict=True)]

    with jax.enable_x64(cases[0].x64):
        found = jax.jit(run).lower(feeds).compile(_QUICK)(feeds)
    return {(case.id, batch): [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(each)]
            for (case, batch), each in zip(wanted, found, strict=True)}
