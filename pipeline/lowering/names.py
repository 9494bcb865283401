"""Node names: legal for TensorFlow, unique, the same from run to run."""

from __future__ import annotations

import re

from pipeline.lowering.errors import LoweringError

# tensorflow/core/framework/node_def_util.cc, ValidateNodeName
_LEGAL = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
# TensorFlow 1 refuses `>` (1.0.0 to 1.15.5 do); flax names scopes after einsum's equations
_FOREIGN = re.compile(r"(?:->|[^A-Za-z0-9_./-])+")


def check(name: str, what: str) -> str:
    """The name itself if TensorFlow allows it for a node.

    Raises:
        LoweringError: it does not.
    """
    if not _LEGAL.fullmatch(name):
        raise LoweringError(f"{what} {name!r} cannot name a TensorFlow node; expected letters, "
                            "digits and _ . / > - after a letter, a digit or a point")
    return name


def sanitise(name: str) -> str:
    """The nearest name legal in TensorFlow 1: `attn/BTNH,BSNH->BNTS` → `attn/BTNH_BSNH_BNTS`."""
    parts = (_FOREIGN.sub("_", part).lstrip("_-") for part in name.split("/"))
    return "/".join(part for part in parts if part)


class Names:
    """The names taken in one graph; upper and lower case count as the same, as in TF1."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def reserve(self, name: str) -> None:
        """Take a name that somebody has asked for.

        Raises:
            LoweringError: it is taken.
        """
        if name.lower() in self._taken:
            raise LoweringError(f"the name {name!r} is asked for twice, among inputs, outputs and "
                                "variables; each needs its own")
        self._taken[name.lower()] = 0

    def unique(self, base: str) -> str:
        """`base`, or `base_1`, `base_2`, … when that is taken."""
        name = base
        while name.lower() in self._taken:
            self._taken[base.lower()] += 1
            name = f"{base}_{self._taken[base.lower()]}"
        self._taken[name.lower()] = 0
        return name
