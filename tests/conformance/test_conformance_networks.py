"""Whole networks go JAX → graph → JAX under jit: same outputs, same gradients by their weights.

`JAXFROST_CASES=100` and more takes all of them, else the one that compiles fastest.
"""

from __future__ import annotations

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from judge import relative_error
from networks import NETWORKS
from test_lowering_networks import QUICK, drawn, expected

from pipeline import execution
from pipeline.lowering import freeze

NAMES = list(NETWORKS) if int(os.environ.get("JAXFROST_CASES", "0")) >= 100 else ["lstm"]


def gradient(function: Any, weights: Any) -> Any:
    """Of a weighted sum of the outputs by the weights."""
    def loss(weights: Any) -> Any:
        result = function(weights)
        return (result * np.cos(np.arange(result.size)).reshape(result.shape)).sum()
    return jax.jit(jax.grad(loss)).lower(weights).compile(QUICK)(weights)


@pytest.mark.parametrize("name", NAMES)
def test_network_comes_back(name: str) -> None:
    function, variables, inputs = drawn(name)
    examples, wanted = expected(name)
    graph = freeze(function, variables, inputs, outputs=["output"])
    imported = execution.function(graph, ["input"], ["output"])
    assert relative_error(imported(examples)[0], wanted) < 1e-5
    weights = {key: jnp.asarray(value) for key, value in imported.constants.items()
               if key in variables and value.dtype == np.float32}
    assert weights
    found = gradient(lambda part: imported.apply(
        {**imported.constants, **part}, examples)[0], weights)
    right = gradient(lambda part: function({**variables, **part}, examples), weights)
    for key, value in right.items():
        assert relative_error(found[key], value) < 1e-4, key
