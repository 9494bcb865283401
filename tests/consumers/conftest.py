"""The exported models and the judge of `tests/lowering` are importable."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parent / "lowering"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
