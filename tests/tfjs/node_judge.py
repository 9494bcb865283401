"""TensorFlow.js itself, in Node: the independent judge of graph models.

Its three packages (77 MB) are installed once, by npm, into the user's cache. Without Node 20 and
npm, or without a network the first time, the tests fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

VERSION = "4.22.0"
PACKAGES = [f"@tensorflow/tfjs-{name}@{VERSION}" for name in ("core", "converter", "backend-cpu")]
SCRIPT = Path(__file__).with_name("run_model.js")


def run(directory: Path, feeds: Sequence[Mapping[str, Any]]) -> list[dict[str, np.ndarray]]:
    """The outputs of a graph model, by the signature's names, for each of some feeds."""
    written = [{name: {"shape": array.shape, "dtype": array.dtype.name,
                       "values": array.ravel().tolist()} for name, array in each.items()}
               for each in feeds]
    ended = subprocess.run(["node", str(SCRIPT), str(installed()), str(directory)],
                           input=json.dumps(written), text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return [{name: np.array(made["values"]).reshape(made["shape"])
             for name, made in each.items()} for each in json.loads(ended.stdout)]


@cache
def installed() -> Path:
    """The directory whose node_modules has TensorFlow.js."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxfrost-tests"
    place = base / f"tfjs-{VERSION}"
    if not (place / "node_modules").is_dir():
        base.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=base))
        (made / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
                        "--no-package-lock", *PACKAGES], cwd=made, check=True, timeout=240,
                       capture_output=True)
        try:
            made.rename(place)    # at once: another test session may be at it, too
        except OSError:
            shutil.rmtree(made)
    return place
