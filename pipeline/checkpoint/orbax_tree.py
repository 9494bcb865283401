"""The leaves of an orbax step, from its own description of its trees; their values take orbax.

    _METADATA: {"tree_metadata": {path: {"key_metadata": [{"key": …}, …],
                                         "value_metadata": {"write_shape": […], …}}},
                "use_zarr3": …}

(orbax-checkpoint 0.11; a step has one such file, or one for each of the items below it.)
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline import budget
from pipeline.checkpoint.errors import CheckpointError, DataLossError, translated
from pipeline.reading import read_bytes

_DESCRIPTION = "_METADATA"
_JSON_BYTES = 32  # that a byte of JSON takes as objects, at most: "{},"
_OF_STEP = "_CHECKPOINT_METADATA"


@dataclass(frozen=True)
class Leaf:
    """One array: its keys from the root of the tree in `directory`; shape None where unsaid."""

    directory: str
    keys: tuple[str, ...]
    shape: tuple[int, ...] | None
    zarr3: bool

    @property
    def name(self) -> str:
        """`params/layer1/weights`."""
        return "/".join(self.keys)


def is_orbax_step(path: str) -> bool:
    """Whether a directory is one complete orbax checkpoint."""
    return bool(orbax_trees(path)) or os.path.exists(os.path.join(path, _OF_STEP))


def orbax_trees(path: str) -> list[str]:
    """The files that describe an orbax step's trees: its own, or one per item below it.

    A directory below that is a step by itself is no item.
    """
    own = os.path.join(path, _DESCRIPTION)
    if os.path.exists(own):
        return [own]
    below = sorted(glob.glob(os.path.join(glob.escape(path), "*", _DESCRIPTION)))
    return [file for file in below if not _is_numbered_step(os.path.dirname(file))]


def _is_numbered_step(directory: str) -> bool:
    return (os.path.basename(directory).isdigit()
            or os.path.exists(os.path.join(directory, _OF_STEP)))


def orbax_leaves(path: str) -> Iterator[Leaf]:
    """The arrays of all trees of a step.

    Raises:
        DataLossError: a description is none.
        PermissionDeniedError: one may not be read.
    """
    import json  # late: most looks meet no orbax step

    for file in orbax_trees(path):
        try:
            with translated(f"cannot read {file}"):
                content = read_bytes(file)
                budget.current().require(len(content) * _JSON_BYTES, "its JSON")
                found: dict[str, Any] = json.loads(content)
            for leaf in found["tree_metadata"].values():
                value = leaf["value_metadata"]
                if value.get("skip_deserialize"):  # an empty dict or list
                    continue
                shape = value.get("write_shape")
                yield Leaf(os.path.dirname(file),
                           tuple(str(key["key"]) for key in leaf["key_metadata"]),
                           None if shape is None else tuple(shape),
                           bool(found.get("use_zarr3")))
        except CheckpointError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataLossError(f"{file}: is no description of an orbax tree ({error})") from None
