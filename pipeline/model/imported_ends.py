"""Where the images enter a graph that others wrote, and where its logits are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pipeline import execution
from pipeline.config import ConfigError
from pipeline.config.model import ModelConfig
from pipeline.errors import PipelineError
from pipeline.execution import Graph, Tensor
from pipeline.execution.ends import find_inputs, find_outputs
from pipeline.graph.tensors import Shape

_MOST_TRIED = 300     # tensors, on the search for the logits
_PASSING = ("Identity", "StopGradient", "Squeeze")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


class Ends(NamedTuple):
    """The part of a graph that is a classifier.

    Attributes:
        input: the tensor that takes the images.
        logits: the tensor that has a number for each class.
        shape: of one example, as `input` takes it.
        batch: how many examples at once; None for any number.
        dtype: of the images.
        probabilities: the numbers are probabilities, not their logarithms.
    """

    input: str
    logits: str
    shape: tuple[int, ...]
    batch: int | None
    dtype: np.dtype[Any]
    probabilities: bool


def find_ends(imported: Graph, config: ModelConfig, num_classes: int) -> Ends:
    """The tensors that `model.input` and `model.logits` name; where they are null, a guess.

    The guess takes the signature that serves, else tensors named `input` and `logits`, else the
    only placeholder that holds an image and, nearest to the end of the graph, the only floating
    tensor [batch, num_classes]. Of a softmax it takes what goes in.

    Raises:
        ConfigError: no such tensor, no tensor fits, or several do.
    """
    assert not isinstance(config.input_shape, str)    # `fitted` wrote it out
    for name in config.given:
        _named(imported, "given", name, {})
    signature = _signature(imported)
    source = _input(imported, config, signature)
    shape = fit_shape(source.shape, config.input_shape)
    if shape is None:
        raise ConfigError(f"model.input: {source.name} of {config.path} has shape {source.shape}; "
                          f"the data has {math.prod(config.input_shape)} pixels an example")
    batch = source.shape[0] if source.shape else None
    dtype = np.dtype(np.float32) if source.dtype is None else source.dtype
    example = jax.ShapeDtypeStruct((2 if batch is None else batch, *shape), dtype)
    logits = _before_softmax(_logits(imported, config, signature, source, example, num_classes))
    probabilities = logits.op.type in _CALLS and _sums_to_one(
        imported, config, source.name, logits.name, example)
    return Ends(source.name, logits.name, shape, batch, dtype, probabilities)


def fit_shape(shape: Shape | None, example: Sequence[int]) -> tuple[int, ...] | None:
    """The shape in which a tensor [batch, …] takes an example of so many pixels; None if it can't.

    Sizes that the graph leaves open are found where that is possible: one, or two equal ones.
    """
    if shape is None:
        return tuple(example)
    pixels, sizes = math.prod(example), shape[1:]
    if len(sizes) == len(example) and all(size in (None, own)
                                          for size, own in zip(sizes, example, strict=True)):
        return tuple(example)
    open_sizes = sizes.count(None)
    known = math.prod(size for size in sizes if size is not None)
    if not sizes or not known or pixels % known or open_sizes > 2:
        return None
    rest = pixels // known
    side = math.isqrt(rest) if open_sizes == 2 else rest
    if side ** max(1, open_sizes) != rest or (not open_sizes and rest != 1):
        return None
    return tuple(side if size is None else size for size in sizes)


def _signature(imported: Graph) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Inputs and outputs by key of the signature that serves; none without one."""
    signatures = imported.signatures
    chosen = signatures.get("serving_default")
    if chosen is None and len(signatures) == 1:
        chosen = next(iter(signatures.values()))
    return ({}, {}) if chosen is None else (chosen.inputs, chosen.outputs)


def _named(imported: Graph, key: str, name: str, listed: Mapping[str, Any]) -> Tensor:
    text = listed[name].name if name in listed else name
    try:
        return imported.get_tensor_by_name(text if ":" in text else f"{text}:0")
    except PipelineError as error:
        keys = f"; the signature has {', '.join(listed)}" if listed else ""
        raise ConfigError(f"model.{key}={name}: {error}{keys}") from None


def _input(
    imported: Graph, config: ModelConfig, signature: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Tensor:
    if config.input is not None:
        return _named(imported, "input", config.input, signature[0])
    nodes = {each.name: each.node_def for each in imported.get_operations()}
    names = [each.name for each in signature[0].values()] or (
        ["input:0"] if "input" in imported else [f"{each.name}:0" for each in find_inputs(nodes)])
    found = [imported.get_tensor_by_name(name) for name in names
             if name not in config.given and name.removesuffix(":0") not in config.given]
    assert not isinstance(config.input_shape, str)
    fitting = [each for each in found if each.dtype is not None and each.dtype.kind in "fui"
               and fit_shape(each.shape, config.input_shape) is not None]
    stated = [each for each in fitting if each.shape is not None]
    fitting = stated or fitting
    if len(fitting) != 1:
        listed = ", ".join(f"{each.name} {each.shape}" for each in fitting or found) or "none"
        raise ConfigError(
            f"model.input: {config.path} has {'several' if fitting else 'no'} inputs for "
            f"{math.prod(config.input_shape)} pixels an example ({listed}); {_advice('input')}")
    return fitting[0]


def _logits(
    imported: Graph, config: ModelConfig, signature: tuple[Mapping[str, Any], Mapping[str, Any]],
    source: Tensor, example: jax.ShapeDtypeStruct, num_classes: int,
) -> Tensor:
    if config.logits is not None:
        return _named(imported, "logits", config.logits, signature[1])
    tried: list[str] = []
    for level in _levels(imported, [each.name for each in signature[1].values()]):
        tried += level
        fitting = {_before_softmax(imported.get_tensor_by_name(name)).name: name
                   for name in level if _fits(imported, config, source, name, example, num_classes)}
        if len(fitting) > 1:
            raise ConfigError(f"model.logits: {config.path} has several outputs of {num_classes} "
                              f"classes ({', '.join(fitting.values())}); {_advice('logits')}")
        if fitting:
            return imported.get_tensor_by_name(next(iter(fitting.values())))
        if len(tried) > _MOST_TRIED:
            break
    raise ConfigError(
        f"model.logits: {config.path} has no output [batch, {num_classes}] that {source.name} "
        f"alone decides (tried {', '.join(tried[:5]) or 'none'}, …); {_advice('logits')}, and "
        "+model.given={name: value} for what else must be fed")


def _levels(imported: Graph, served: Sequence[str]) -> Iterator[list[str]]:
    """Tensors that may be the logits: the signature's, those named so, then from the ends back."""
    if served:
        yield list(served)
    if "logits" in imported:
        yield ["logits:0"]
    nodes = {each.name: each.node_def for each in imported.get_operations()}
    level = [f"{each.name}:0" for each in find_outputs(nodes)]
    seen = set(level)
    while level:
        yield level
        below = [tensor.name for name in level
                 for tensor in imported.get_operation_by_name(name.partition(":")[0]).inputs]
        level = [name for name in dict.fromkeys(below) if name not in seen]
        seen.update(level)


def _fits(
    imported: Graph, config: ModelConfig, source: Tensor, name: str,
    example: jax.ShapeDtypeStruct, num_classes: int,
) -> bool:
    try:
        f = imported.function([source.name], [name], given=config.given)
        (found,) = jax.eval_shape(f, imported.values, example)
    except (PipelineError, TypeError):    # text has no abstract form
        return False
    return (found.shape == (example.shape[0], num_classes)
            and jnp.issubdtype(found.dtype, jnp.floating))


def _before_softmax(tensor: Tensor) -> Tensor:
    """What a softmax takes, if the tensor is one's result; else the tensor itself."""
    found = tensor
    while found.op.type in _PASSING:
        found = found.op.inputs[0]
    return found.op.inputs[0] if found.op.type == "Softmax" else tensor


def _sums_to_one(
    imported: Graph, config: ModelConfig, source: str, logits: str, example: jax.ShapeDtypeStruct
) -> bool:
    """Whether a call gives probabilities: what a function does inside is seen by trying it."""
    f = imported.function([source], [logits], given=config.given)
    noise = np.random.default_rng(0).random(example.shape).astype(example.dtype)
    try:
        found = np.asarray(f(imported.values, noise)[0], np.float64)
    except execution.ExecutionError as error:
        raise ConfigError(f"model.path={config.path}: {error}") from error
    return bool((found >= 0).all() and np.allclose(found.sum(-1), 1, atol=1e-3))


def _advice(key: str) -> str:
    return f"say +model.{key}=NAME (without + where model=imported is said)"
