"""Run by test_data_prepared: prepare, read and keep a data set with TensorFlow and network gone.

Arguments: the directory of the four files and where to prepare. Prints the data set's fingerprint
once read through TFDS and once as kept.
"""

from __future__ import annotations

import socket
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import SimpleNamespace
from typing import Any

find = PathFinder.find_spec


def hide(name: str, path: Any = None, target: Any = None) -> Any:
    return None if name.partition(".")[0] == "tensorflow" else find(name, path, target)


def refuse(*arguments: Any) -> None:
    raise OSError("the network was asked for")


PathFinder.find_spec = staticmethod(hide)   # type: ignore[method-assign]
socket.socket.connect = refuse              # type: ignore[assignment]
socket.getaddrinfo = refuse                 # type: ignore[assignment]
sys.path.insert(0, str(Path(__file__).parent))

from idx_files import publish  # noqa: E402

from pipeline import data  # noqa: E402
from pipeline.data.catalogue import SOURCES  # noqa: E402

files, cache = Path(sys.argv[1]), Path(sys.argv[2])
SOURCES["mnist"] = publish(files, "http://192.0.2.1/")
config: Any = SimpleNamespace(name="mnist", directory=None, validation_size=5, cache=True)
data.prepare_tfds("mnist", cache / "tensorflow_datasets", files)
for _ in range(2):
    print(data.load(config, cache).fingerprint)
assert "tensorflow" not in sys.modules
