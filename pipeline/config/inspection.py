"""What `conf/task/inspect.yaml` may hold.

Without pydantic, so that a look at a checkpoint needs not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MetaGraphField: TypeAlias = Literal[
    "meta_info_def", "graph_def", "saver_def", "collection_def", "signature_def"]


@dataclass(kw_only=True)
class InspectConfig:
    """How closely task=inspect looks into a file, and what it shows of it."""

    json: bool = False
    verify: bool = False       # read every tensor and compare its checksum
    stats: bool = False        # read every tensor; its minimum, maximum, mean, …
    diff: str | None = None    # another checkpoint, to compare with
    batch: int = 1             # of how many examples a graph's FLOPs are counted; from 1
