"""A store to save, for the tests of savers."""

from __future__ import annotations

import pytest

from pipeline import scopes


@pytest.fixture
def store() -> scopes.VariableStore:
    """`v1` and `v2` of the tutorial."""
    store = scopes.VariableStore(seed=0)
    with store.as_default():
        for name, value in (("v1", 1.0), ("v2", 2.0)):
            scopes.get_variable(name, [1], initializer=scopes.constant_initializer(value))
    return store
