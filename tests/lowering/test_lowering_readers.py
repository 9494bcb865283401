"""What other readers ask of a file, by function; TensorFlow and our own import agree with JAX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import equinox as eqx
import equinox.internal as eqxi
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax
from judge import relative_error, run

from pipeline import checkpoint, execution, graph
from pipeline.lowering import LoweringError, freeze

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.standard_normal((3, 6)).astype(np.float32)
IMAGES = RANDOM.standard_normal((2, 5, 5, 2)).astype(np.float32)
KERNEL = RANDOM.standard_normal((3, 3, 2, 8)).astype(np.float32)
BIAS = RANDOM.standard_normal(8).astype(np.float32)
TRICKS = frozenset({
    "Bitcast", "BitwiseXor", "BitwiseAnd", "BitwiseOr", "Invert", "LeftShift", "RightShift"})
GATHERS = frozenset({"Gather", "GatherV2", "GatherNd", "Transpose", "Tile"})


@dataclass(frozen=True)
class Row:
    """A function of one input; `has` and `lacks` are ops, `most` is how many nodes it may take."""

    name: str
    function: Callable[..., Any]
    x: Any = None
    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    most: int = 10_000
    tolerance: float = 1e-5


def convolve(x: Any) -> Any:
    return lax.conv_general_dilated(x, KERNEL, (1, 1), "SAME",
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


def write_in_a_loop(x: Any) -> Any:
    def body(carry: Any) -> Any:
        step, done = carry
        return step + 1, lax.dynamic_update_slice(done, x[:, :2] * 2, (0, step))
    return lax.while_loop(lambda c: c[0] < 3, body, (0, jnp.zeros((x.shape[0], 4))))[1]


def mapped_noise(x: Any) -> Any:
    return x[:, :3] * jax.vmap(
        lambda i: jax.random.normal(jax.random.fold_in(KEY, i), ()))(jnp.arange(3))


def equinox_loop(x: Any) -> Any:
    return jax.vmap(lambda e: eqxi.while_loop(
        lambda c: c.sum() < 99, lambda c: c * 2, jnp.abs(e) + 1, kind="lax"))(x)


def chosen_key(x: Any) -> Any:
    key = jnp.where(x.sum() > 0, jax.random.key(0), jax.random.key(1))
    return x + jax.random.normal(key, (6,))


def keys_of_a_table(x: Any) -> Any:
    keys = jax.random.split(KEY, 4)
    return x + jax.random.normal(keys[(x[0, 0] > 0).astype(int)], (6,))


EMBED = nnx.Embed(7, 3, rngs=nnx.Rngs(0))
IDS = np.asarray([[0, 3, 6, 1], [5, -2, 2, 0]], np.int32)
SORTED = frozenset({"TopKV2"})
ROW_TABLE = [
    Row("embed", EMBED.__call__, IDS, lacks=frozenset({"Select"}), most=16),
    Row("take", lambda x: jnp.take(BIAS, x, axis=0), IDS, lacks=frozenset({"Select"})),
    Row("outside is NaN", lambda x: jnp.take(BIAS, x + 5, axis=0), IDS,
        lacks=frozenset({"Select"})),
    Row("conv + bias", lambda x: convolve(x) + BIAS, IMAGES, frozenset({"BiasAdd"})),
    Row("conv + bias [1,1,1,c]", lambda x: convolve(x) + BIAS.reshape(1, 1, 1, 8), IMAGES,
        frozenset({"BiasAdd"})),
    Row("conv * scale + bias", lambda x: convolve(x) * BIAS[::-1].copy() + BIAS, IMAGES,
        frozenset({"BiasAdd"})),
    Row("dense + bias", lambda x: x @ KERNEL[0, :, 0].repeat(2, 0)[:6] + BIAS, ROWS,
        frozenset({"BiasAdd"})),
    Row("sort", lambda x: jnp.sort(x, -1), has=SORTED, lacks=TRICKS, most=28),
    Row("sort descending", lambda x: jnp.sort(x, -1, descending=True), lacks=TRICKS),
    Row("argsort", lambda x: jnp.argsort(x, -1), lacks=TRICKS, most=18),
    Row("sort by a key", lambda x: jnp.take_along_axis(x, jnp.argsort(jnp.abs(x), -1), -1),
        lacks=TRICKS, most=60),
    Row("median", lambda x: jnp.median(x, -1), lacks=TRICKS),
    Row("searchsorted", lambda x: jnp.searchsorted(jnp.arange(5.0), x), lacks=TRICKS, most=14),
    Row("searchsorted right", lambda x: jnp.searchsorted(
        jnp.asarray([-1.0, 0.0, 0.0, 2.0]), x, side="right"), lacks=TRICKS, most=14),
    Row("gelu", lambda x: jax.nn.gelu(x, approximate=False), has=frozenset({"Erf"}),
        lacks=frozenset({"Erfc"})),
    Row("erfc keeps its digits", lambda x: jnp.log(jax.scipy.special.erfc(jnp.abs(x) + 4)),
        has=frozenset({"Erfc"})),
    Row("celu", jax.nn.celu, has=frozenset({"Elu"}), most=2),
    Row("celu 2", lambda x: jax.nn.celu(x, 2.0), lacks=frozenset({"Expm1"})),
    Row("elu 2", lambda x: jax.nn.elu(x, 2.0), lacks=frozenset({"Expm1"})),
    Row("x[:, 1:4]", lambda x: x[:, 1:4], has=frozenset({"StridedSlice"}), lacks=GATHERS, most=5),
    Row("x[:, 2]", lambda x: x[:, 2], lacks=GATHERS, most=5),
    Row("x[:, -1]", lambda x: x[:, -1], lacks=GATHERS, most=5),
    Row("x[:, ::2]", lambda x: x[:, ::2], lacks=GATHERS, most=5),
    Row("x[:, ::-1]", lambda x: x[:, ::-1], lacks=GATHERS),
    Row("crop", lambda x: x[:, 1:, 1:-1], IMAGES, lacks=GATHERS, most=5),
    Row("corner", lambda x: x[:, 0, -1], IMAGES, lacks=GATHERS, most=5),
    Row("write a column", lambda x: x.at[:, 2].set(0), has=frozenset({"ConcatV2"}),
        lacks=frozenset({"TensorScatterUpdate"}), most=20),
    Row("add to columns", lambda x: x.at[:, 1:3].add(2.0),
        lacks=frozenset({"TensorScatterAdd"})),
    Row("write in a loop", write_in_a_loop, lacks=frozenset({"Pad"})),
    Row("noise of the batch", lambda x: x + jax.random.normal(KEY, x.shape), tolerance=1e-4),
    Row("categorical of the batch", lambda x: jax.random.categorical(KEY, x)),
    Row("mapped fold_in", mapped_noise, tolerance=1e-4),
    Row("gamma", lambda x: x[:, :3] * jax.random.gamma(KEY, 2.0, (3,)), tolerance=1e-4),
    Row("dirichlet", lambda x: x[:, :3] * jax.random.dirichlet(KEY, jnp.ones(3)), tolerance=1e-4),
    Row("chosen key", chosen_key, tolerance=1e-4),
    Row("keys of a table", keys_of_a_table, tolerance=1e-4),
    Row("ragged_dot", lambda x: lax.ragged_dot(
        x, jnp.ones((2, 6, 3)), jnp.asarray([1, 2], jnp.int32))),
    Row("equinox loop", equinox_loop),
    Row("equinox error_if", lambda x: eqx.error_if(x * 2, jnp.isnan(x).any(), "NaN")),
    Row("equinox noinline", lambda x: eqxi.noinline(jnp.tanh)(x)),
    Row("pool behind a relu", lambda x: lax.reduce_window(
        jax.nn.relu(x), -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1),
        ((0, 0), (1, 1), (1, 1), (0, 0))), IMAGES, lacks=frozenset({"PadV2"})),
    Row("pool of any sign", lambda x: lax.reduce_window(
        x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1),
        ((0, 0), (2, 2), (2, 2), (0, 0))), IMAGES, has=frozenset({"PadV2"})),
    Row("mean with its axis", lambda x: x - x.mean(-1, keepdims=True), most=6),
    Row("layer norm", nnx.LayerNorm(6, rngs=nnx.Rngs(0)).__call__, most=24),
]


def fed(row: Row) -> Any:
    return ROWS if row.x is None else row.x


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROW_TABLE])
def test_readers_know_what_is_written(tf: ModuleType, row: Row) -> None:
    x = fed(row)
    if row.name == "ragged_dot":
        spec = jax.ShapeDtypeStruct(x.shape, x.dtype)
    else:
        spec = jax.ShapeDtypeStruct((None, *x.shape[1:]), x.dtype)
    made = freeze(row.function, inputs={"x": spec}, outputs=["y"])
    wanted = np.asarray(row.function(jnp.asarray(x)))
    assert relative_error(run(tf, made, ["y"], {"x": x})[0], wanted) <= row.tolerance
    own = np.asarray(execution.function(made, ["x"], ["y"])(x)[0])
    assert relative_error(own, wanted) <= row.tolerance
    ops = Counter(node.op for node in made.node)
    assert row.has <= set(ops)
    assert not row.lacks & set(ops)
    assert len(made.node) <= row.most, dict(ops)


# the defaults that TensorFlow 1.0's op definitions have; readers without op definitions need them
WRITTEN = {
    "StridedSlice": "begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask",
    "MatMul": "transpose_a transpose_b", "Conv2D": "use_cudnn_on_gpu data_format",
    "MaxPool": "data_format", "BiasAdd": "data_format", "Mean": "keep_dims Tidx",
    "Reshape": "Tshape",
}
LATER = {"grad_a", "grad_b", "dilations", "explicit_paddings", "Truncate", "batch_dims"}


def test_attributes_of_tensorflow_1_0_are_written_and_later_ones_are_not() -> None:
    def function(x: Any) -> Any:
        y = jax.nn.relu(convolve(x) + BIAS)[:, 1:]
        y = lax.reduce_window(y, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return y.reshape(y.shape[0], -1) @ jnp.ones((32, 3)), y.mean((1, 2))

    inputs = {"x": jax.ShapeDtypeStruct((None, 5, 5, 2), np.float32)}
    nodes = freeze(function, inputs=inputs, outputs=["y", "z"]).node
    assert set(WRITTEN) <= {node.op for node in nodes}
    for node in nodes:
        assert set(WRITTEN.get(node.op, "").split()) <= set(node.attr), node.name
        assert not LATER & set(node.attr), node.name


def test_equal_variables_stay_two() -> None:
    made = freeze(lambda v, x: jnp.tanh(x * v["first"]) * v["second"],
                  {"first": jnp.ones(6), "second": jnp.ones(6)},
                  {"x": jax.ShapeDtypeStruct((None, 6), np.float32)}, outputs=["y"])
    shapes = {node.name: graph.decode_tensor(node.attr["value"].tensor).shape
              for node in made.node if node.op == "Const"}
    assert shapes["first"] == shapes["second"] == (6,)


def test_a_pair_of_trees_is_saved_under_the_graph_s_names(tmp_path: Any) -> None:
    pair = ({"net/linear": {"w": jnp.ones((6, 2))}}, {"net/norm": {"average": jnp.zeros(2)}})
    checkpoint.Saver(pair).save(tmp_path / "pair.ckpt")
    names = set(checkpoint.CheckpointReader(tmp_path / "pair.ckpt").get_variable_to_shape_map())
    made = freeze(lambda v, x: x @ v[0]["net/linear"]["w"] - v[1]["net/norm"]["average"], pair,
                  {"x": jax.ShapeDtypeStruct((None, 6), np.float32)}, outputs=["y"])
    assert names <= {node.name for node in made.node if node.op == "Const"}


def test_a_message_prints_no_arrays() -> None:
    with pytest.raises(checkpoint.CheckpointError) as caught:
        checkpoint.Saver([jnp.ones(100), {"w": jnp.ones(100)}])
    assert "1." not in str(caught.value)


NAMED = {"x": jax.ShapeDtypeStruct((None, "t"), np.float32)}


def padded(x: Any) -> Any:
    return jnp.pad(x, ((0, 0), (0, 64 - x.shape[1])))


@pytest.mark.parametrize("options", [
    {"constraints": ["t <= 64"]}, {"sizes": {"t": "<= 64"}}])
def test_what_is_known_of_a_size_is_said(options: Any) -> None:
    made = freeze(padded, inputs=NAMED, outputs=["y"], **options)
    for size in (7, 64):
        x = RANDOM.standard_normal((2, size)).astype(np.float32)
        np.testing.assert_array_equal(execution.function(made, ["x"], ["y"])(x)[0], padded(x))


def test_a_size_may_be_a_multiple() -> None:
    made = freeze(lambda x: x.reshape(x.shape[0], x.shape[1] // 2, 2).mean(-1), outputs=["y"],
                  inputs={"x": jax.ShapeDtypeStruct((None, "2*t"), np.float32)})
    x = RANDOM.standard_normal((2, 8)).astype(np.float32)
    np.testing.assert_allclose(execution.function(made, ["x"], ["y"])(x)[0],
                               x.reshape(2, 4, 2).mean(-1), rtol=1e-6)


@pytest.mark.parametrize(("function", "message"), [
    (padded, r'constraints=\["t <= 64"\]'),
    (lambda x: lax.associative_scan(jnp.multiply, x, axis=1), "with fixed ones"),
    (lambda x: x @ jnp.eye(x.shape[1])[jnp.diag_indices(x.shape[0])], "fixed shape"),
    (lambda x: x * np.ones([int(x.shape[0])]), "fixed shape"),
])
def test_a_refusal_says_what_would_do_and_where(function: Any, message: str) -> None:
    with pytest.raises(LoweringError, match=message) as caught:
        freeze(function, inputs=NAMED, outputs=["y"])
    assert "test_lowering_readers.py:" in str(caught.value)


def test_a_long_scan_is_a_loop_if_asked_for() -> None:
    def function(x: Any) -> Any:
        return lax.scan(lambda c, row: (jnp.tanh(c + row), c), x[0], x)[1]

    inputs = {"x": jax.ShapeDtypeStruct((30, 2), np.float32)}
    long, short = (freeze(function, inputs=inputs, outputs=["y"], unroll=most)
                   for most in (4096, 10))
    assert "StatelessWhile" in {node.op for node in short.node}
    assert len(long.node) > 2 * len(short.node)
