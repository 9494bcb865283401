"""Whether what was found has the variables of a network, each of its shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline.model import Network, Variables
from pipeline.persistence.artifact import PersistenceError


def fitted(where: Path, tensors: Mapping[str, Any], network: Network) -> Variables:
    """The variables of `network` among `tensors`, which lie at `where`.

    Raises:
        PersistenceError: as `require_fit` does.
    """
    require_fit(where, tensors, network)
    return {name: jnp.asarray(tensors[name]) for name in network.specs}


def require_fit(where: Path, tensors: Mapping[str, Any], network: Network) -> None:
    """Refuses what does not fit.

    Raises:
        PersistenceError: variables are missing or of another shape; all of them are named.
    """
    complaints = []
    for name, spec in network.specs.items():
        if name not in tensors:
            complaints.append(f"{name}: missing; the model has {tuple(spec.shape)}")
        elif tuple(np.shape(tensors[name])) != tuple(spec.shape):
            found = tuple(np.shape(tensors[name]))
            complaints.append(f"{name}: found {found}, the model has {tuple(spec.shape)}")
    if complaints:
        raise PersistenceError(
            f"{where}: does not fit model={network.name}:\n  " + "\n  ".join(complaints)
            + "\nrestore with the model configuration it was made with"
        )
