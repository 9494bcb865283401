"""Names: which are legal, and how a taken one becomes `name_1`, as in a TensorFlow graph."""

from __future__ import annotations

import re
from itertools import count

from pipeline.scopes.errors import ScopeError, ScopeTypeError

# tf1_semantics.md A14: the patterns that TensorFlow's own error texts show.
_ROOT = "^[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*$"
_NESTED = "^[A-Za-z0-9_.\\\\/>-]*$"
_IS_ROOT, _IS_NESTED = re.compile(_ROOT), re.compile(_NESTED)


class Names:
    """The names in use in one graph; comparison ignores case (B21)."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, name: str) -> str:
        """The first of `name`, `name_1`, `name_2`, … that is not taken."""
        key = name.lower()
        if key not in self._taken:
            return name
        suffix = next(n for n in count(1) if f"{key}_{n}" not in self._taken)
        return f"{name}_{suffix}"

    def take(self, name: str) -> str:
        """Takes a name, taken before or not, and returns it."""
        self._taken.add(name.lower())
        return name


def join(scope: str, name: str) -> str:
    """`scope/name`, or `name` at the root."""
    return f"{scope}/{name}" if scope else name


def check_text(name: object) -> None:
    """Refuses a name that is no string; inside a scope, joining would make one of anything.

    Raises:
        ScopeTypeError: it is none.
    """
    if not isinstance(name, str):
        raise ScopeTypeError(f"a name must be a string; found {name!r}")


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


def check_variable(name: str) -> None:
    """Refuses a variable's name that is empty behind its last slash; TensorFlow makes one up.

    Raises:
        ScopeError: it is.
    """
    if not name.rpartition("/")[2]:
        raise ScopeError(f"'{name}': a variable needs a name; found an empty one")
