"""`dataset=function`: whatever a function of the user's returns.

    def load(**arguments):
        return {"train": (images, labels), "test": (images, labels), "classes": ["cat", "dog"]}

`validation`, `test` and `classes` may be missing; two arrays, `(images, labels)`, are `train`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.config.consent import function_wanted, load_named
from pipeline.config.dataset import FunctionConfig
from pipeline.data.checking import Found, Labelled
from pipeline.data.errors import DataError
from pipeline.errors import PipelineError

_KEYS = ("train", "validation", "test", "classes")


def load(config: FunctionConfig) -> Found:
    """What `config.function(**config.arguments)` returns.

    Raises:
        ConfigError: there is no such function.
        DataError: it fails, or returns something else.
    """
    name = f"dataset.function={config.function}"
    function = load_named(config.function, "dataset.function", [function_wanted])
    try:
        returned = function(**config.arguments)
    except PipelineError:
        raise
    except Exception as error:
        raise DataError(f"{name}: fails with {type(error).__name__}: {error}") from error
    if isinstance(returned, tuple):
        returned = {"train": returned}
    if not isinstance(returned, Mapping) or "train" not in returned or set(returned) - set(_KEYS):
        found = list(returned) if isinstance(returned, Mapping) else type(returned).__name__
        raise DataError(f"{name}: returned {found}; expected (images, labels), or a dict of "
                        f"{', '.join(_KEYS)}")
    parts = {key: _part(returned[key], f"{name} ({key})") for key in _KEYS[:3]
             if returned.get(key) is not None}
    classes = returned.get("classes")
    return Found(parts["train"], parts.get("test"), parts.get("validation"),
                 None if classes is None else [str(one) for one in classes])


def _part(pair: Any, where: str) -> Labelled:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{where}: is {type(pair).__name__}; expected (images, labels)")
    return Labelled(np.asarray(pair[0]), np.asarray(pair[1]), where)
