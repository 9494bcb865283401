"""Writes `tensorflow_1_0_ops.txt`: the ops of our table that TensorFlow 1.0.0 has.

    python3.6 -m venv old && old/bin/pip install tensorflow==1.0.0 'protobuf<3.18' 'numpy<1.19'
    old/bin/python tests/consumers/generate_tensorflow_1_0_ops.py

A developer's tool. One line per op: its name, a tab, TensorFlow 1.0.0's OpDef as protobuf text.
"""

import os

import tensorflow as tf
from google.protobuf import text_format
from tensorflow.python.framework import op_def_registry

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.join(HERE, "..", "..", "pipeline", "graph", "op_defs.txt")


def main() -> None:
    assert tf.__version__ == "1.0.0", tf.__version__
    known = op_def_registry.get_registered_ops()
    with open(OURS, encoding="ascii") as table:
        names = [line.split("\t")[0] for line in table]
    with open(os.path.join(HERE, "tensorflow_1_0_ops.txt"), "w", encoding="ascii") as table:
        for name in names:
            if name in known:
                text = text_format.MessageToString(known[name], as_one_line=True)
                table.write(name + "\t" + text + "\n")


if __name__ == "__main__":
    main()
