"""One budget of memory, asked before anything is made whose size a file or a graph decides.

A file of a few bytes can name an array of any size. Whoever decodes, folds or assembles such a
thing asks first, and what does not fit is refused by name:

    budget.current().require(size, f"{path}: images")       # would it fit, right now?
    with budget.account() as account:                       # for many things that live together
        account.spend(size, f"{path}: constant {name}")     # kept until the block ends
    budget.hold(array, f"constant {name}")                  # kept as long as the array lives

The default is half of what this process may use: the machine's memory, a container's (cgroup v1 and
v2) or `ulimit`'s, whichever is least. `runtime.memory_budget` sets another.
"""

from __future__ import annotations

import os
import resource
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError

_SHARE = 0.5
_UNITS = {"GB": 10**9, "MB": 10**6, "kB": 10**3}
_held: set[int] = set()    # the ids of arrays that are spent for
_CGROUPS = Path("/sys/fs/cgroup")


class MemoryBudgetError(PipelineError):
    """Something would take more memory than the budget has left."""


class Budget:
    """How many bytes may be spent, and how many are; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._spent = 0
        self._lock = threading.Lock()

    @property
    def spent(self) -> int:
        """Bytes that accounts hold at the moment."""
        return self._spent

    def require(self, size: int, what: str) -> None:
        """Refuses what does not fit beside that which is spent.

        Args:
            size: bytes that are about to be taken.
            what: whose they are, file and name first; the error begins with it.

        Raises:
            MemoryBudgetError: they are more than the budget has left.
        """
        if self._spent + size > self.limit:
            left = f", of which {format_size(self._spent)} are in use" if self._spent else ""
            raise MemoryBudgetError(
                f"{what}: would take {format_size(size)} of memory; the budget is "
                f"{format_size(self.limit)}{left}: if the file is to be trusted and the memory is "
                "there, give more with runtime.memory_budget=… (from Python: budget.set_limit)")

    def spend(self, size: int, what: str) -> None:
        """Takes what fits, as `require` says, until it is given back with `release`."""
        with self._lock:
            self.require(size, what)
            self._spent += size

    def release(self, size: int) -> None:
        """Gives back what was spent."""
        with self._lock:
            self._spent -= size


class Account:
    """What one piece of work has spent of the budget; `account` gives all of it back."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.spent = 0

    def spend(self, size: int, what: str) -> None:
        """Takes `size` bytes for `what`.

        Raises:
            MemoryBudgetError: the budget has less left.
        """
        self.budget.spend(size, what)
        self.spent += size


@cache
def current() -> Budget:
    """The budget of this process."""
    return Budget(_default())


def set_limit(size: int | None) -> None:
    """Makes the budget of this process `size` bytes; None: the default again."""
    current().limit = _default() if size is None else size


def _default() -> int:
    return int(_SHARE * available_memory())


def hold(array: np.ndarray[Any, Any], what: str) -> None:
    """Spends what an array, or the one that it is a view of, takes, for as long as that lives.

    Raises:
        MemoryBudgetError: the budget has less left.
    """
    while isinstance(array.base, np.ndarray):
        array = array.base
    held = id(array)
    if held in _held or not array.flags.owndata:
        return
    current().spend(array.nbytes, what)
    _held.add(held)
    weakref.finalize(array, _let_go, held, array.nbytes)


def _let_go(held: int, size: int) -> None:
    _held.discard(held)
    current().release(size)


@contextmanager
def account() -> Iterator[Account]:
    """An account of the process's budget, closed when the block ends."""
    opened = Account(current())
    try:
        yield opened
    finally:
        opened.budget.release(opened.spent)


def format_size(size: int) -> str:
    """`1.5 GB`: a size for people."""
    for unit, value in _UNITS.items():
        if size >= value:
            return f"{size / value:,.1f} {unit}"
    return f"{size} bytes"


def available_memory() -> int:
    """Bytes this process may use at most: the least of machine, containers and resource limits."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_cgroup_limits()]
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            found.append(soft)
    return min(found)


def _cgroup_limits() -> Iterator[int]:
    """The limits of this process's control groups and of those around them (man 7 cgroups)."""
    try:
        lines = Path("/proc/self/cgroup").read_text("ascii", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = _CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = _CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = base / path.lstrip("/")
        for directory in (group, *group.parents):
            try:
                text = (directory / name).read_text("ascii").strip()
            except OSError:
                continue
            if text.isdigit():    # else "max"
                yield int(text)
