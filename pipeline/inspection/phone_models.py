"""What is in a TFLite model, or in a TF.js graph model, in words or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any


def describe_phone_model(path: str, *, as_json: bool) -> str | None:
    """The text to print; None for a path that is neither.

    Raises:
        PipelineError: it is damaged.
        OSError: it can't be read.
    """
    place = Path(path)
    if place.suffix == ".tflite" and place.is_file():
        record = _tflite(place)
    elif place.name == "model.json" and place.is_file():
        record = _tfjs(place.parent)
    elif (place / "model.json").is_file():
        record = _tfjs(place)
    else:
        return None
    if as_json:
        return json.dumps(record, indent=1, ensure_ascii=False)
    lines = [f"{path}: {record['kind']}, {record['bytes']:,} bytes, weights {record['weights']:,}"]
    for word in ("inputs", "outputs"):
        lines += [f"  {word[:-1]} {name}: {what}" for name, what in record[word].items()]
    ops = ", ".join(f"{op} × {count}" for op, count in sorted(record["ops"].items()))
    return "\n".join([*lines, f"  ops: {ops}"])


def _tflite(path: Path) -> dict[str, Any]:
    from pipeline import tflite

    found = tflite.describe(path)
    ends = {word: {name: f"{dtype} {['batch' if size < 0 else size for size in shape]}"
                   for name, (shape, dtype) in each.items()}
            for word, each in (("inputs", found.inputs), ("outputs", found.outputs))}
    return {"kind": "a TFLite model", "bytes": found.size, "weights": found.weights, **ends,
            "ops": found.ops}


def _tfjs(directory: Path) -> dict[str, Any]:
    from pipeline import tfjs

    found = tfjs.read(directory)
    sizes = [path.stat().st_size for path in found.files]
    return {"kind": "a TF.js graph model", "bytes": sum(sizes), "weights": sum(sizes[1:]),
            "inputs": found.inputs, "outputs": found.outputs,
            "ops": dict(Counter(node.op for node in found.graph_def.node))}
