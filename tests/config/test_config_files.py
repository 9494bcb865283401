"""Every file of `conf/` composes, and every model and experiment takes a step: none can rot."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from configured import CONF, composed, configured

from pipeline import graph, model, tasks
from pipeline.config import Config
from pipeline.config.persistence import GraphNames
from pipeline.persistence.graphs import build_frozen_graph
from pipeline.train.numbers import collect
from pipeline.train.optimizer import build_optimizer
from pipeline.train.program import build_program
from pipeline.train.state import TrainState, init_state

FILES = sorted(path.relative_to(CONF) for path in CONF.rglob("*.yaml") if path.parent != CONF)
MODELS = [path.stem for path in FILES if path.parent.name == "model"]
EXPERIMENTS = [path.stem for path in FILES if path.parent.name == "experiment"]
MODULE = ["model.module=configured_module.Perceptron", "+model.arguments.width=3"]


def choice(path: Path) -> list[str]:
    """The words of a command line that choose one file of `conf/`."""
    group = str(path.parent)
    words = [f"{group}={path.stem}"]
    needed = {"module.yaml": ["model.module=package.Class"], "imported.yaml": ["model.path=x.pb"],
              "factory.yaml": ["optimizer.factory=optax.lion"],
              "convert.yaml": ["destination=x"], "idx.yaml": ["dataset.directory=x"],
              "folder.yaml": ["dataset.directory=x"], "npz.yaml": ["dataset.path=x"],
              "table.yaml": ["dataset.path=x"], "function.yaml": ["dataset.function=package.load"]}
    return words + needed.get(path.name, [])


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_composes_and_passes_the_border(path: Path) -> None:
    name = path.stem if path.parent.name == "task" else "train"
    assert isinstance(configured(*choice(path)), tasks.find(name).Options)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_begins_by_saying_how_to_use_it_or_what_it_is(path: Path) -> None:
    lines = (CONF / path).read_text().splitlines()
    first = next(line for line in lines if "@package" not in line)
    assert first.startswith("# ")
    assert len(first) > 10


def step_abstractly(config: Config) -> TrainState:
    """Two steps of training as shapes alone: no data, no arithmetic."""
    network = model.build(config.model)
    schedule = config.schedule.build(config.optimizer.learning_rate, 100)
    optimizer = build_optimizer(config.optimizer, schedule)
    batch = config.trainer.batch_size

    def two_steps(pixels: jax.Array, digits: jax.Array, indices: jax.Array) -> TrainState:
        state = init_state(network, optimizer, config.trainer.ema, config.seed)
        interval = build_program(network, config, total_steps=100)
        numbers = collect(config, network)
        following, metrics = interval(state, numbers, pixels, digits, indices)
        assert set(metrics) == {"loss", "accuracy"}
        same = jax.tree.map(lambda a, b: (a.shape, a.dtype) == (b.shape, b.dtype), state, following)
        assert all(jax.tree.leaves(same)), "a step must keep the state's shapes and dtypes"
        return following

    return jax.eval_shape(
        two_steps,
        jnp.zeros((batch, 28, 28), jnp.uint8),
        jnp.zeros(batch, jnp.uint8),
        jnp.zeros((2, batch), jnp.int32),
    )


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_steps(name: str) -> None:
    config = configured(f"experiment={name}", "dataset.directory=unused")
    state = step_abstractly(config)
    assert state.step.shape == ()
    assert bool(state.ema) == (config.trainer.ema is not None)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_steps(name: str, tmp_path: Path) -> None:
    path = tmp_path / "frozen_graph.pb"
    needed = {"module": MODULE, "imported": [f"model.path={path}"]}
    if name == "imported":
        network = model.build(configured("model=softmax").model)
        graph.save_graph(build_frozen_graph(GraphNames(), network, network.init(0)), path)
    assert step_abstractly(configured(f"model={name}", *needed.get(name, []))).params


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in
                                  ("optimizer", "schedule")], ids=str)
def test_every_optimizer_and_schedule_steps(path: Path) -> None:
    words = [*choice(path), "optimizer.clip_norm=1.0"]
    assert step_abstractly(configured("model=softmax", *words)).params


def test_the_help_lists_every_group() -> None:
    text = (CONF / "hydra" / "help" / "pipeline.yaml").read_text()
    groups = {path.parts[0] for path in FILES} - {"hydra"}
    missing = [group for group in groups if f"  {group} " not in text]
    assert not missing, f"conf/hydra/help/pipeline.yaml says nothing of {missing}"


def test_the_table_of_contents_names_every_group() -> None:
    assert set(composed()) >= {path.parts[0] for path in FILES} - {"hydra", "experiment"}
