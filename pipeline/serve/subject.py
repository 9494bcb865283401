"""The run that is looked at: its native model and its frozen graph, side by side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from pipeline import data, evaluate, execution, graph, model, persistence
from pipeline.config import ConfigError
from pipeline.config.enclosure import require_enclosed
from pipeline.config.persistence import FrozenGraphTarget, GraphNames
from pipeline.config.recorded import find_run
from pipeline.config.runtime import cache_directory
from pipeline.config.serve import ServeOptions
from pipeline.config.several_runs import why_no_run
from pipeline.drawing.scopes import ScopedGraph, Shapes, tensor_shapes
from pipeline.serve.evaluating import Evaluating

log = logging.getLogger(__name__)

T = TypeVar("T")
_making = threading.RLock()


class once(cached_property[T]):
    """A property that is made once, whichever of several threads asks first."""

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is None or self.attrname in vars(instance):
            return super().__get__(instance, owner)
        with _making:
            return super().__get__(instance, owner)


Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Voice:
    """One of the models and where it was read from; `ask` takes examples as a `DataSet` does."""

    name: str
    source: str
    ask: Callable[[NDArray[np.uint8]], Probabilities]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A run, opened; what is slow or may be missing is made when it is asked for."""

    directory: Path
    config: ServeOptions           # with the run's own model, data set and targets
    description: data.Description  # of the data it was trained on
    network: model.Network
    variables: model.Variables
    graph_def: Message             # the inference graph
    names: GraphNames              # of its nodes
    voices: tuple[Voice, Voice]    # the frozen graph's and the native model's

    @once
    def data_sets(self) -> data.DataSets:
        """The run's data.

        Raises:
            DataError: they are not there any more.
        """
        runtime = self.config.runtime
        return data.load(self.config.dataset, cache_directory(runtime) / "datasets")

    @once
    def evaluating(self) -> Evaluating:
        """The native model on the test split, under way since it was asked for first."""
        return Evaluating(self.network, self.variables, self.data_sets.test)

    @property
    def evaluation(self) -> evaluate.Evaluation:
        """What comes of `evaluating`, waited for."""
        under_way: Evaluating = self.evaluating
        return under_way.result()

    @once
    def _pages(self) -> dict[str, str]:
        return {}

    def kept_pages(self, address: str, make: Callable[[], str]) -> str:
        """A page that is the same for everyone, made when it is asked for first."""
        pages: dict[str, str] = self._pages
        if address not in pages:
            pages[address] = make()
        return pages[address]

    @once
    def shapes(self) -> Shapes:
        """The shape of every node's first output, by node; those alone that can be told."""
        return tensor_shapes(self.graph_def, self.names, self.network)

    @once
    def scoped_graph(self) -> ScopedGraph:
        """The inference graph, to look into."""
        return ScopedGraph(self.graph_def)

    @once
    def values(self) -> dict[str, NDArray[Any]]:
        """The variables as arrays."""
        return {name: np.asarray(value) for name, value in self.variables.items()}


def open_run(config: ServeOptions) -> Subject:
    """The run in the directory `config.run`; its frozen graph is made anew if it wrote none.

    Raises:
        ConfigError: there is no run.
        PersistenceError: it left nothing to restore, or nothing that fits its configuration.
        LoweringError: it wrote no frozen graph and its model can't be one.
    """
    if config.run is None:
        raise ConfigError("run: task=serve needs it; give the directory of a finished run")
    directory = find_run(Path(config.run)) if Path(config.run).exists() else None
    if directory is None:
        raise ConfigError(f"run={config.run}: {why_no_run(Path(config.run))}")
    require_enclosed(directory)
    found = persistence.find(directory, "run")
    description = data.describe(
        config.dataset, cache_directory(config.runtime) / "datasets", directory)
    network = model.build(config.model, description)
    variables = persistence.load_variables(found.path, network)
    graph_def, names, source = _frozen_graph(config, directory, network, variables)
    return Subject(
        directory=directory, config=config, description=description,
        network=network, variables=variables, graph_def=graph_def, names=names,
        voices=(
            Voice("frozen graph", source, _frozen_voice(graph_def, names, network)),
            Voice("native model", str(found.path.relative_to(directory)),
                  _native_voice(network, variables)),
        ),
    )


def _frozen_graph(
    config: ServeOptions, directory: Path, network: model.Network, variables: model.Variables
) -> tuple[Message, GraphNames, str]:
    for target in config.persistence.values():
        if isinstance(target, FrozenGraphTarget) and (directory / target.file).is_file():
            return graph.load_graph(directory / target.file), target, target.file
    log.warning("%s holds no frozen graph; the one shown is made from its variables", directory)
    names = GraphNames()
    made = persistence.build_frozen_graph(names, network, variables)
    return made, names, "made from the variables"


def _frozen_voice(
    graph_def: Message, names: GraphNames, network: model.Network
) -> Callable[[NDArray[np.uint8]], Probabilities]:
    function = execution.function(graph_def, [names.input], [names.output])
    return lambda pixels: np.asarray(function(model.to_input(network, pixels))[0], np.float64)


def _native_voice(
    network: model.Network, variables: model.Variables
) -> Callable[[NDArray[np.uint8]], Probabilities]:
    logits = jax.jit(lambda values, images: network.apply(values, images)[0])

    def ask(pixels: NDArray[np.uint8]) -> Probabilities:
        found = np.asarray(logits(variables, model.to_input(network, pixels)))
        return np.exp(evaluate.log_softmax(found))

    return ask
