"""TensorFlow's converter makes LiteRT models of frozen graphs and SavedModels; LiteRT agrees.

    tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
        "frozen_graph.pb", ["input"], ["logits", "probabilities"]).convert()
    tf.compat.v1.lite.TFLiteConverter.from_saved_model("saved_model").convert()
"""

from __future__ import annotations

import pytest
from exports import HERE, Arrays, Exports, Key, exports_in, run_program

CONVERTED = exports_in("frozen_graph", "modern", "saved_model")


@pytest.fixture(scope="module")
def found(exports: Exports, tmp_path_factory: pytest.TempPathFactory) -> dict[Key, Arrays]:
    directory = tmp_path_factory.mktemp("tflite")
    made = {key: directory / f"{'-'.join(key)}.tflite" for key in CONVERTED}
    run_program([str(HERE / "convert_to_tflite.py")],
                [[str(exports.path(*key)), str(path)] for key, path in made.items()])
    return exports.read("read_with_litert.py", made)


@pytest.mark.parametrize("key", CONVERTED, ids="-".join)
def test_litert_agrees(exports: Exports, found: dict[Key, Arrays], key: Key) -> None:
    exports.check(key[0], found[key], "logits", "probabilities")
