"""Asks a real TensorFlow 1 whether it reads what we write.

    python3.6 -m venv old
    old/bin/pip install 'pip<22' && old/bin/pip install tensorflow==1.0.0 'protobuf<3.18' \
        'numpy<1.19' 'wheel<0.38'
    python tests/consumers/ask_old_tensorflow.py old/bin/python

A developer's tool: none of the Pythons that we support can hold a TensorFlow 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

import numpy as np  # noqa: E402
from exported import FORMS, MODELS, examples, write  # noqa: E402


def main(python: str) -> None:
    jobs = []
    with tempfile.TemporaryDirectory() as directory:
        for name in MODELS:
            base = Path(directory) / name
            write(name, base)
            np.save(base / "images.npy", examples(name).images)
            np.save(base / "logits.npy", examples(name).logits)
            jobs += [[str(base / file), str(base / "images.npy"), str(base / "logits.npy")]
                     for file in FORMS.values()]
        subprocess.run([python, str(HERE / "read_with_old_tensorflow.py")], input=json.dumps(jobs),
                       text=True, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
