"""Graphs that were written, read back and executed in JAX, as TensorFlow would run them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from pipeline import execution, graph
from pipeline.config import ConfigError
from pipeline.config.model import ModelConfig
from pipeline.config.persistence import GraphNames
from pipeline.data.description import Description, numbered
from pipeline.errors import IntegrityError, PipelineError
from pipeline.model import Network, build, predict_logits
from pipeline.persistence.artifact import ArtifactError, PersistenceError

Logits = NDArray[np.float32]
_BATCH = 500  # examples


def run_graph(
    path: Path, network: Network, pixels: NDArray[np.uint8], config: ModelConfig
) -> Logits:
    """The logits [n, classes] of anybody's graph for uint8 [n, 28, 28].

    Args:
        path: a frozen graph, a SavedModel, or a `.meta` with its checkpoint beside it.
        network: the run's; used as it is where it was built from this graph.
        pixels: of the images.
        config: what `network` was built from. Where that is another graph, its keys say nothing
            of this one.

    Raises:
        ConfigError: the graph does not fit the data, or its ends must be named.
        PersistenceError: it can't be executed.
        ArtifactError: it is damaged.
    """
    try:
        if config.path is None or Path(config.path) != path:
            ends = ModelConfig() if config.path else config
            config = ModelConfig(name=path.stem, path=str(path), input=ends.input,
                                 logits=ends.logits, given=ends.given)
            shape = network.input_shape if len(network.input_shape) in (1, 3) else (
                math.prod(network.input_shape),)
            network = build(config, Description(shape, numbered(network.num_classes)))
        return predict_logits(network, network.init(0), pixels)
    except ConfigError:
        raise
    except IntegrityError as error:
        raise ArtifactError(f"{path}: {error}") from error
    except PipelineError as error:
        raise PersistenceError(f"{path}: {error}") from error


def run_frozen_graph(path: Path, names: GraphNames, images: jax.Array) -> Logits:
    """The logits [n, classes] that a frozen graph computes for float images [n, …].

    Raises:
        GraphError: no graph is there.
        ArtifactError: it has no such nodes, or ops that aren't supported.
    """
    graph_def = graph.load_graph(path)
    try:
        function = execution.function(graph_def, [names.input], [names.logits])
    except PipelineError as error:
        raise ArtifactError(f"{path}: {error}") from error
    return in_batches(lambda batch: function(batch)[0], images)


def run_meta_graph(
    path: Path, names: GraphNames, images: jax.Array, values: Mapping[str, Any] | Path
) -> Logits:
    """The logits of a MetaGraph whose variables are restored from a prefix, or given by name."""
    imported = execution.import_meta_graph(graph.load_meta_graph(path))
    if isinstance(values, Path):
        assert imported.saver is not None, "a model without variables can't be trained"
        imported.saver.restore(values)
    else:
        imported.values.update(values)
    return _run(imported, names, images)


def run_saved_model(directory: Path, names: GraphNames, images: jax.Array) -> Logits:
    """The logits of a SavedModel, its variables restored from beside it."""
    return _run(execution.import_saved_model(directory), names, images)


def _run(imported: execution.Graph, names: GraphNames, images: jax.Array) -> Logits:
    return in_batches(
        lambda batch: imported.run(f"{names.logits}:0", {f"{names.input}:0": batch}), images)


def in_batches(run: Callable[[jax.Array], Any], images: jax.Array) -> Logits:
    """A part at a time: the activations of a whole test split need not fit into memory."""
    starts = range(0, max(len(images), 1), _BATCH)
    return np.concatenate([np.asarray(run(images[at:at + _BATCH])) for at in starts])
