"""In which order tensorflow-datasets stores records.

TFDS sorts records by the md5 of the split's name followed by the record's key in decimal
(tensorflow_datasets/core/hashing.py, shuffle.py; TFDS says that changing it would raise every data
set's major version). MNIST's keys are the places in the IDX file.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def record_order(split: str, num_examples: int) -> NDArray[np.int64]:
    """Where each stored record stands in the IDX file, [n]: `idx[order] = records`."""
    salt = hashlib.md5(split.encode(), usedforsecurity=False)

    def key(index: int) -> bytes:
        digest = salt.copy()
        digest.update(str(index).encode())
        return digest.digest()

    return np.array(sorted(range(num_examples), key=key), np.int64)
