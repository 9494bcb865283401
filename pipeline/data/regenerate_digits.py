"""Make the embedded digits again: `python -m pipeline.data.regenerate_digits SOURCE`.

SOURCE is UCI's `optdigits.tes` (https://archive.ics.uci.edu/dataset/80, doi 10.24432/C50P49) or
scikit-learn's copy of it, `sklearn/datasets/data/digits.csv.gz`: one line per digit, 64 values of 0
to 16 and the label, separated by commas.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np

from pipeline.data.dataset import UInt8
from pipeline.data.digits import FILE
from pipeline.data.errors import DataError
from pipeline.files import replacing

# of the images' and the labels' bytes, as scikit-learn 1.9.1 carries them
_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def parse(source: Path) -> tuple[UInt8, UInt8]:
    """The published table: uint8 images [1797, 8, 8] and labels [1797].

    Raises:
        DataError: it is not the published table.
    """
    try:
        table = np.loadtxt(source, delimiter=",")
    except (OSError, ValueError) as error:
        raise DataError(f"{source}: {error}; give optdigits.tes or digits.csv.gz") from error
    if table.shape != (1797, 65):
        raise DataError(f"{source}: found a table of {table.shape}, expected (1797, 65); "
                        "give optdigits.tes or digits.csv.gz")
    images = table[:, :64].reshape(-1, 8, 8).astype(np.uint8)
    labels = table[:, 64].astype(np.uint8)
    if hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() != _SHA256:
        raise DataError(f"{source}: not the published table: some of its values differ; give "
                        "optdigits.tes or digits.csv.gz")
    return images, labels


def write(source: Path, target: Path) -> None:
    """Write the table at `source` as compressed arrays to `target`; the same bytes every time."""
    images, labels = parse(source)
    with replacing(target) as file:
        np.savez_compressed(file, images=images, labels=labels)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.data.regenerate_digits")
    parser.add_argument("source", type=Path, help="optdigits.tes or digits.csv.gz")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "embedded" / FILE)
    arguments = parser.parse_args()
    try:
        write(arguments.source, arguments.target)
    except DataError as error:
        parser.error(str(error))
    print(f"Wrote {arguments.target}")


if __name__ == "__main__":
    main()
