"""TensorFlow's converter to LiteRT, for frozen graphs and SavedModels.

    python convert_to_tflite.py < jobs.json       # [[file, file.tflite], …]

Run by test_consumers_litert.py, in a process of its own.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3")
    from tensorflow.compat.v1.lite import TFLiteConverter

    for file, made in json.load(sys.stdin):
        if Path(file).is_dir():
            converter = TFLiteConverter.from_saved_model(file)
        else:
            converter = TFLiteConverter.from_frozen_graph(
                file, ["input"], ["logits", "probabilities"])
        Path(made).write_bytes(converter.convert())


if __name__ == "__main__":
    main()
