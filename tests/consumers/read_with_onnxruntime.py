"""ONNX Runtime runs what tf2onnx made.

    python read_with_onnxruntime.py < jobs.json   # [[file, images.npy, found.npz, batch sizes], …]

Run by test_consumers_onnx.py, in a process of its own.
"""

import json
import sys

import numpy as np
import onnxruntime


def main() -> None:
    for file, images, found, batches in json.load(sys.stdin):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        given, arrays = np.load(images), {}
        names = [output.name for output in session.get_outputs()]
        [source] = session.get_inputs()
        for count in batches:
            results = session.run(names, {source.name: given[:count]})
            for name, array in zip(names, results, strict=True):
                arrays[f"{name.removesuffix(':0')}_{count}"] = array
        np.savez(found, **arrays)


if __name__ == "__main__":
    main()
