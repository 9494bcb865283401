"""Hash tables as values: keys and values on the host, replaced as a whole when they change."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError
from pipeline.execution.values import is_static, to_jax


@jax.tree_util.register_static
class Table:
    """Keys [n] with their values [n, …]; a part of a compiled function's signature.

    Attributes:
        keys: strings or numbers, in the order they came in.
        values: one for each key.
    """

    def __init__(self, keys: Any, values: Any) -> None:
        self.keys, self.values = keys, values
        self._places = {key: place for place, key in enumerate(keys.tolist())}
        self._hash = hash((tuple(self._places), str(values.dtype), tuple(values.ravel().tolist())))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (
            self.keys.tolist() == other.keys.tolist()
            and self.values.dtype == other.values.dtype
            and self.values.tolist() == other.values.tolist())

    def __len__(self) -> int:
        return len(self._places)

    @classmethod
    def empty(cls, key: int, value: int, shape: tuple[int, ...] = ()) -> Table:
        """A table of these DataTypes that holds nothing yet."""
        return cls(np.zeros(0, dtypes.to_numpy(key)),
                   np.zeros((0, *shape), dtypes.to_numpy(value)))

    def with_entries(self, keys: Any, values: Any, *, replace: bool) -> Table:
        """The table and more entries; an entry that differs from one that is there replaces it.

        Raises:
            ExecutionError: it differs and `replace` is not set, as in an initializer; another
                number of values than of keys.
        """
        flat = keys.ravel()
        rows = values.reshape(flat.size, *self.values.shape[1:])
        held = dict(zip(self.keys.tolist(), self.values, strict=True))
        for key, row in zip(flat.tolist(), rows, strict=True):
            if key in held and not replace and not np.array_equal(held[key], row):
                raise ExecutionError(f"HashTable has different value for same key. Key {key!r} has "
                                     f"{held[key]!r} and trying to add value {row!r}")
            held[key] = row
        made = np.empty((len(held), *rows.shape[1:]), self.values.dtype)
        for place, row in enumerate(held.values()):
            made[place] = row
        return Table(np.array(list(held), self.keys.dtype), made)

    def without(self, keys: Any) -> Table:
        """The table and no entry for these keys."""
        gone = set(keys.ravel().tolist())
        kept = [place for key, place in self._places.items() if key not in gone]
        return Table(self.keys[kept], self.values[kept])

    def find(self, keys: Any, default: Any) -> Any:
        """The values of keys [k…], [k…, …]; the default for those that are not there.

        Raises:
            ExecutionError: strings are looked up by keys that are only known when running.
        """
        if is_static(keys) and is_static(default):
            return self._known(np.asarray(keys), np.asarray(default))
        if self.values.dtype == np.object_:
            raise ExecutionError("looks strings up by what is computed when running; fetch the "
                                 "keys and look them up outside, or feed them")
        keys, default = to_jax(keys), to_jax(default)
        row = self.values.shape[1:]
        missing = jnp.broadcast_to(default, (*keys.shape, *row)).astype(default.dtype)
        if not len(self):
            return missing
        order = np.argsort(self.keys, kind="stable")
        ordered, values = to_jax(self.keys[order]), to_jax(self.values[order])
        place = jnp.minimum(jnp.searchsorted(ordered, keys), len(self) - 1)
        hit = (ordered[place] == keys).reshape(keys.shape + (1,) * len(row))
        return jnp.where(hit, values[place], missing)

    def _known(self, keys: Any, default: Any) -> Any:
        row = self.values.shape[1:]
        found = np.empty((keys.size, *row), self.values.dtype)
        found[:] = default
        for place, key in enumerate(keys.ravel().tolist()):
            if key in self._places:
                found[place] = self.values[self._places[key]]
        return found.reshape(*keys.shape, *row)
