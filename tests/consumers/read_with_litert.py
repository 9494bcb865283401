"""LiteRT, the interpreter on phones, runs what TensorFlow's converter made.

    python read_with_litert.py < jobs.json        # [[file, images.npy, found.npz, batch sizes], …]

Run by test_consumers_litert.py, in a process of its own: TensorFlow brings the same interpreter.
"""

import json
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main() -> None:
    for file, images, found, batches in json.load(sys.stdin):
        interpreter = Interpreter(model_path=file)
        [source] = interpreter.get_input_details()
        given, arrays = np.load(images), {}
        for count in batches:
            interpreter.resize_tensor_input(source["index"], given[:count].shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(source["index"], given[:count])
            interpreter.invoke()
            for output in interpreter.get_output_details():
                arrays[f"{output['name']}_{count}"] = interpreter.get_tensor(output["index"])
        np.savez(found, **arrays)


if __name__ == "__main__":
    main()
