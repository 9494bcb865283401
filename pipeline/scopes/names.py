"""Names: which are legal, and how a taken one becomes `name_1`, as in a TensorFlow graph."""

from __future__ import annotations

import re
from itertools import count

from pipeline.scopes.errors import ScopeError

# tf1_semantics.md A14: the patterns that TensorFlow's own error texts show.
_ROOT = "^[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*$"
_NESTED = "^[A-Za-z0-9_.\\\\/>-]*$"
_IS_ROOT, _IS_NESTED = re.compile(_ROOT), re.compile(_NESTED)


class Names:
    """The names in use in one graph; comparison ignores case (B21)."""

    def __init__(self) -> None:
        self._requests: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """`name`, or `name_N` with the smallest N that no earlier request for it has passed."""
        key = name.lower()
        requests = self._requests.get(key, 0)
        self._requests[key] = requests + 1
        if requests == 0:
            return name
        suffix = self._free_suffix(key, requests)
        self._requests[f"{key}_{suffix}"] = 1
        return f"{name}_{suffix}"

    def preview(self, name: str) -> str:
        """What `unique` would return, taking nothing."""
        key = name.lower()
        requests = self._requests.get(key, 0)
        return f"{name}_{self._free_suffix(key, requests)}" if requests else name

    def reserve(self, name: str) -> None:
        """Takes a name that is known to be free, or was taken before."""
        self._requests.setdefault(name.lower(), 1)

    def _free_suffix(self, key: str, first: int) -> int:
        return next(n for n in count(first) if f"{key}_{n}" not in self._requests)


def join(scope: str, name: str) -> str:
    """`scope/name`, or `name` at the root."""
    return f"{scope}/{name}" if scope else name


def check_root(name: str) -> str:
    """The name itself, legal at the root of a graph.

    Raises:
        ScopeError: it holds a character that graph names may not hold, or begins with one.
    """
    if not _IS_ROOT.match(name):
        raise ScopeError(f"'{name}' is not a valid root scope name. A root scope name has to "
                         f"match the following pattern: {_ROOT}")
    return name


def check_nested(name: str) -> str:
    """The name itself, legal inside another scope; `_x` and `-x` are legal only there.

    Raises:
        ScopeError: it holds a character that graph names may not hold.
    """
    if not _IS_NESTED.match(name):
        raise ScopeError(f"'{name}' is not a valid scope name. A scope name has to match the "
                         f"following pattern: {_NESTED}")
    return name
