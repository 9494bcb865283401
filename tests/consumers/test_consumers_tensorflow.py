"""TensorFlow itself runs, initialises, restores and serves every model of `conf/model`."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from exported import BATCHES, MODELS, examples, frozen, meta_graph, network
from exports import Exports, Key, exports_in
from judge import run_all

from pipeline.graph import save_meta_graph
from pipeline.scopes import VariableSpec, initializers

OUTPUTS = ("logits", "probabilities")
# a standard normal distribution cut at ±2: TensorFlow's truncated_normal
CUT = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def feeds(exports: Exports, name: str, tensor: str = "input") -> list[dict[str, Any]]:
    """An input for each batch size."""
    return [{tensor: exports.examples(name).images[:count]} for count in BATCHES]


def named(found: list[Any]) -> dict[str, Any]:
    """The outputs of each batch size by `output_batch size`."""
    return {f"{output}_{count}": array for count, arrays in zip(BATCHES, found, strict=True)
            for output, array in zip(OUTPUTS, arrays, strict=True)}


@pytest.mark.parametrize("opset", ["tf1", "modern"])
@pytest.mark.parametrize("name", MODELS)
def test_frozen_graphs_agree(tf: ModuleType, exports: Exports, name: str, opset: Any) -> None:
    given = feeds(exports, name)
    none = {"input": given[0]["input"][:0]}
    *found, empty = run_all(tf, frozen(name, opset), OUTPUTS, [*given, none])
    exports.check(name, named(found), *OUTPUTS)
    assert [array.shape for array in empty] == [(0, 10), (0, 10)]


@pytest.mark.parametrize("key", exports_in("checkpoint", "resource"), ids="-".join)
def test_checkpoints_are_restored_and_agree(tf: ModuleType, exports: Exports, key: Key) -> None:
    path, v1 = str(exports.path(*key)), tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(path)
        saver.restore(session, path.removesuffix(".meta"))
        found = [session.run([f"{output}:0" for output in OUTPUTS], given)
                 for given in feeds(exports, key[0], "input:0")]
    exports.check(key[0], named(found), *OUTPUTS)


@pytest.mark.parametrize("key", exports_in("saved_model"), ids="-".join)
@pytest.mark.filterwarnings("ignore")
def test_saved_models_are_loaded_both_ways_and_agree(
    tf: ModuleType, exports: Exports, key: Key
) -> None:
    path, name = str(exports.path(*key)), key[0]
    served = tf.saved_model.load(path).signatures["serving_default"]
    results = [served(input=tf.constant(given["input"])) for given in feeds(exports, name)]
    found = [[result[output].numpy() for output in OUTPUTS] for result in results]
    exports.check(name, named(found), *OUTPUTS)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.saved_model.load(session, ["serve"], path)
        found = [session.run([f"{output}:0" for output in OUTPUTS], given)
                 for given in feeds(exports, name, "input:0")]
    exports.check(name, named(found), *OUTPUTS)


@pytest.mark.parametrize("opset", ["tf1", "modern"])
@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_variables_begin_as_their_scopes_declare(
    tf: ModuleType, tmp_path: Path, name: str, resource: bool, opset: Any
) -> None:
    save_meta_graph(meta_graph(name, resource=resource, opset=opset), tmp_path / "m.meta")
    built, v1 = network(name)[0], tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(str(tmp_path / "m.meta"))
        session.run("init")
        variables = v1.global_variables()
        begun = dict(zip((each.op.name for each in variables), session.run(variables),
                         strict=True))
        trainable = [each.op.name for each in v1.trainable_variables()]
        [logits] = session.run(["logits:0"], {"input:0": examples(name).images})
    assert list(begun) == list(built.specs)
    assert trainable == [key for key, spec in built.specs.items() if spec.trainable]
    assert np.isfinite(logits).all()
    foreign = []
    for key, spec in built.specs.items():
        assert (begun[key].shape, begun[key].dtype) == (spec.shape, spec.dtype)
        if type(spec.initializer).__module__ == initializers.__name__:
            check_distribution(begun[key], spec)
        else:
            foreign.append(key)
    if foreign:     # functions that no graph can hold: their values for seed 0
        values = built.init(0)
        for key in foreign:
            np.testing.assert_array_equal(begun[key], values[key])


def check_distribution(begun: Any, spec: VariableSpec) -> None:
    """Mean, standard deviation and bounds, each within six of its own standard errors."""
    mean, deviation, reach = declared(spec)
    root = math.sqrt(begun.size)
    assert np.abs(begun - mean).max() <= reach * (1 + 1e-6), spec.name
    assert abs(begun.mean() - mean) <= 6 * deviation / root + 1e-6, spec.name
    assert abs(begun.std() - deviation) <= 6 * deviation / root + 1e-6, spec.name


def declared(spec: VariableSpec) -> tuple[float, float, float]:
    """(mean, standard deviation, how far from the mean a value can be)."""
    initializer: Any = spec.initializer
    fan_in, fan_out = initializers.fans(spec.shape)
    match initializer:
        case initializers.Zeros():
            return 0, 0, 0
        case initializers.Ones():
            return 1, 0, 0
        case initializers.Constant():
            return initializer.value, 0, 0
        case initializers.TruncatedNormal():
            deviation = initializer.stddev * CUT
            return initializer.mean, deviation, 2 * initializer.stddev
        case initializers.VarianceScaling(distribution="truncated_normal", mode="fan_in"):
            deviation = math.sqrt(initializer.scale / fan_in)
            return 0, deviation, 2 * deviation / CUT
        case initializers.VarianceScaling(distribution="uniform", mode="fan_avg"):
            limit = math.sqrt(6 * initializer.scale / (fan_in + fan_out))
            return 0, limit / math.sqrt(3), limit
    raise AssertionError(f"{spec.name}: declare how {initializer} is distributed")
