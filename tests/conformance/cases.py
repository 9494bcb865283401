"""The one table of cases: what can be lowered, what TensorFlow and JAX must agree on.

Structure, parity with TensorFlow, the round trip and the coverage page all come from it.
"""

from __future__ import annotations

from case import Case
from families import elementwise

CASES: list[Case] = [
    *elementwise.CASES,
]
