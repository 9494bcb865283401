"""The one table of cases: what can be lowered, what TensorFlow and JAX must agree on.

Structure, parity with TensorFlow, the round trip and the coverage page all come from it.
"""

from __future__ import annotations

from case import Case
from families import (
    control,
    edges,
    elementwise,
    image,
    indexing,
    integers,
    layers,
    linalg,
    randomness,
    shape,
)

CASES: list[Case] = [
    *elementwise.CASES,
    *shape.CASES,
    *indexing.CASES,
    *integers.CASES,
    *linalg.CASES,
    *control.CASES,
    *image.CASES,
    *layers.CASES,
    *randomness.CASES,
    *edges.CASES,
]
