"""tf2onnx converts every form to ONNX, and ONNX Runtime agrees with JAX.

    python -m tf2onnx.convert --graphdef frozen_graph.pb --inputs input:0 \
        --outputs logits:0,probabilities:0 --output m.onnx
    python -m tf2onnx.convert --checkpoint model.ckpt-5.meta --inputs …
    python -m tf2onnx.convert --saved-model saved_model --output m.onnx
"""

from __future__ import annotations

from pathlib import Path

import pytest
from exports import EXPORTS, Arrays, Exports, Key, run_tool

SOURCE = {"frozen_graph": "--graphdef", "modern": "--graphdef", "checkpoint": "--checkpoint",
          "resource": "--checkpoint", "saved_model": "--saved-model"}
ENDS = ["--inputs", "input:0", "--outputs", "logits:0,probabilities:0"]


@pytest.fixture(scope="module")
def found(exports: Exports, tmp_path_factory: pytest.TempPathFactory) -> dict[Key, Arrays]:
    directory = tmp_path_factory.mktemp("onnx")
    made: dict[Key, Path] = {key: directory / f"{'-'.join(key)}.onnx" for key in EXPORTS}
    run_tool("tf2onnx.convert:main", [
        [SOURCE[form], exports.path(name, form), *([] if form == "saved_model" else ENDS),
         "--output", path] for (name, form), path in made.items()])
    return exports.read("read_with_onnxruntime.py", made)


@pytest.mark.parametrize("key", EXPORTS, ids="-".join)
def test_onnx_runtime_agrees(exports: Exports, found: dict[Key, Arrays], key: Key) -> None:
    exports.check(key[0], found[key], "logits", "probabilities")
