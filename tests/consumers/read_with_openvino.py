"""OpenVINO's own reader of TensorFlow's files.

    python read_with_openvino.py < jobs.json      # [[file, images.npy, found.npz, batch sizes], …]

Run by test_consumers_openvino.py, in a process of its own.
"""

import json
import sys

import numpy as np

# OpenVINO reports each import to its makers through this package where it is installed
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
import openvino  # noqa: E402

OUTPUTS = ["logits", "probabilities"]


def main() -> None:
    core = openvino.Core()
    for file, images, found, batches in json.load(sys.stdin):
        # of a MetaGraph, which also saves and restores, only what is asked for
        model = openvino.convert_model(file, output=OUTPUTS if file.endswith(".meta") else None)
        # bfloat16 is the default on some processors: errors of 2e-3
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        given, arrays = np.load(images), {}
        for count in batches:
            for output, array in compiled([given[:count]]).items():
                [name] = output.get_names()
                arrays[f"{name.removesuffix(':0')}_{count}"] = array
        np.savez(found, **arrays)


if __name__ == "__main__":
    main()
