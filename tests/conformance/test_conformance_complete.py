"""Nothing public is forgotten: every layer of flax nnx, every function of jax.nn and jax.image."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import jax
from case import BATCH
from cases import CASES
from coverage import primitives_of
from flax import nnx

COVERED = {case.primitive for case in CASES if case.limitation is None}
# why there is no case of them
NOT_LAYERS = {
    "Module": "the base class of layers",
    "RNNCellBase": "the base class of cells",
    "List": "holds layers, computes nothing; in networks.py",
    "Dict": "holds layers, computes nothing",
}
NOT_COVERED = {
    "jax.nn.scaled_matmul": "a kernel of block-scaled types; refused by name",
    "jax.nn.get_scaled_dot_general_config": "makes a configuration, computes nothing",
}


def functions(module: ModuleType) -> list[str]:
    return [name for name in dir(module) if not name.startswith("_")
            and callable(getattr(module, name)) and not inspect.isclass(getattr(module, name))]


def test_every_layer_of_nnx_has_a_case() -> None:
    layers = {name for name in dir(nnx) if inspect.isclass(getattr(nnx, name))
              and issubclass(getattr(nnx, name), nnx.Module)}
    assert layers - {name.removeprefix("nnx.") for name in COVERED} == set(NOT_LAYERS)


def test_every_function_of_jax_has_a_case() -> None:
    public = {f"jax.nn.{name}" for name in functions(jax.nn)}
    public |= {f"jax.image.{name}" for name in functions(jax.image)}
    assert public - COVERED == set(NOT_COVERED)


def test_every_function_of_nnx_has_a_case() -> None:
    """Those that it takes from jax.nn as they are need none of their own."""
    def home(function: Any) -> str:
        return getattr(inspect.unwrap(function), "__module__", None) or ""

    public = {name for name in functions(nnx)
              if home(getattr(nnx, name)).startswith(("flax.nnx.nn.", "flax.linen.", "jax."))}
    same = {name for name in public if getattr(nnx, name) is getattr(jax.nn, name, None)}
    assert {f"nnx.{name}" for name in public - same} <= COVERED
    assert "relu" in same


def test_the_table_is_as_large_as_promised() -> None:
    covered = [case for case in CASES if case.limitation is None]
    assert len(covered) >= 600
    assert len(set().union(*map(primitives_of, covered))) >= 150


def test_kinds_of_shapes_and_batches() -> None:
    """Fixed shapes, an unknown batch, unknown dimensions besides; empty and single batches."""
    assert any(not case.is_batched for case in CASES)
    assert any("batch" in spec.shape[1:] for case in CASES for spec in case.inputs().values())
    sizes = [set(case.sizes) for case in CASES if case.limitation is None
             and any(arg.shape[:1] == (BATCH,) for arg in case.args)]
    assert all(1 in each for each in sizes)
    assert sum(0 in each for each in sizes) > 0.95 * len(sizes)
