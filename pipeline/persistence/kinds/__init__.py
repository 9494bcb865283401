"""The kinds of artefacts, each one file, and the only table of them.

To add one: its file here, which fills a `Kind`; its options in `pipeline/config/persistence.py`;
a row in `KINDS`; `conf/persistence/NAME.yaml`.
"""

from __future__ import annotations

from typing import Any

from pipeline.persistence.kinds.frozen_graph import FROZEN_GRAPH
from pipeline.persistence.kinds.kind import Kind
from pipeline.persistence.kinds.meta_graph import META_GRAPH
from pipeline.persistence.kinds.onnx import ONNX
from pipeline.persistence.kinds.orbax import ORBAX
from pipeline.persistence.kinds.saved_model import SAVED_MODEL
from pipeline.persistence.kinds.tf_checkpoint import TF_CHECKPOINT
from pipeline.persistence.kinds.tfjs import TFJS
from pipeline.persistence.kinds.tflite import TFLITE

# In the order in which the directory of a run is looked through for what to restore.
KINDS: dict[str, Kind[Any]] = {
    "orbax": ORBAX,
    "tf_checkpoint": TF_CHECKPOINT,
    "frozen_graph": FROZEN_GRAPH,
    "saved_model": SAVED_MODEL,
    "onnx": ONNX,
    "tflite": TFLITE,
    "tfjs": TFJS,
    "meta_graph": META_GRAPH,
}
