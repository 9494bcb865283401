"""Runs trained as one program against the same runs trained one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from configured import configured, digits

from pipeline import model, train
from pipeline.config.roles import Role, numbers_of
from pipeline.sweep.process import Job, Process, Run
from pipeline.sweep.together import _shape
from pipeline.tasks import train as task
from pipeline.train import FitResult, Member, Stop

SMALL = ("trainer.batch_size=20", "trainer.epochs=3", "model.scopes.layer1.units=16")
# After 30 steps of batches of 20; sums are taken in another order, and differences grow.
LOSS, VARIABLES = 1e-5, 2e-4

# Every number that may differ, a few at a time: each program takes seconds to compile.
CASES = {
    "seed, learning rate, l2": [
        [f"seed={seed}", f"optimizer.learning_rate={rate}",
         f"model.regularizer={{kind: l2, scale: {scale}}}"]
        for seed, rate, scale in ((0, 0.001, 1e-4), (1, 0.001, 1e-2), (0, 0.01, 1e-2))],
    "momentum, decay, l1": [
        ["optimizer=momentum", f"optimizer.momentum={momentum}", "schedule=exponential_decay",
         "schedule.decay_steps=5", f"schedule.decay_rate={rate}",
         f"model.regularizer={{kind: l1, scale: {scale}}}"]
        for momentum, rate, scale in ((0.0, 0.9, 1e-5), (0.9, 0.5, 1e-3))],
    "adamw, cosine, label smoothing": [
        ["optimizer=adamw", f"optimizer.beta1={beta}", f"optimizer.beta2={1 - beta / 100}",
         f"optimizer.weight_decay={decay}", f"optimizer.epsilon={decay / 1e6 + 1e-8}",
         "schedule=cosine", "schedule.warmup_steps=4", f"schedule.end_factor={decay}",
         f"trainer.label_smoothing={decay}"] for beta, decay in ((0.9, 0.0), (0.8, 0.1))],
    "clipping, averages": [
        ["optimizer=sgd", f"optimizer.clip_norm={norm}", f"trainer.ema={{decay: {decay}}}"]
        for norm, decay in ((0.01, 0.9), (10.0, 0.5))],
}


def both_ways(overrides: list[list[str]], tmp_path: Path) -> list[tuple[FitResult, FitResult]]:
    configs = [configured(*SMALL, *one) for one in overrides]
    networks = [model.build(config.model) for config in configs]
    pairs = list(zip(networks, configs, strict=True))
    alone = [train.fit(network, digits(), config, tmp_path / f"alone{k}")
             for k, (network, config) in enumerate(pairs)]
    members = [Member(network, config, tmp_path / f"together{k}")
               for k, (network, config) in enumerate(pairs)]
    return list(zip(alone, train.fit_together(members, digits()), strict=True))


def test_every_number_that_may_differ_is_tried() -> None:
    differs: set[str] = set()
    known: set[str] = set()
    for overrides in CASES.values():
        configs = [configured(*SMALL, *one) for one in overrides]
        found = [numbers_of(config, Role.NUMBER, Role.CONSTANT) for config in configs]
        differs |= {name for name in found[0] if len({one[name] for one in found}) > 1}
        known |= found[0].keys()
    assert differs == known


@pytest.mark.parametrize("overrides", CASES.values(), ids=CASES.keys())
def test_together_is_what_each_alone_would_be(
    overrides: list[list[str]], tmp_path: Path
) -> None:
    finals = []
    for alone, together in both_ways(overrides, tmp_path):
        assert [one.step for one in together.history] == [one.step for one in alone.history]
        for ours, theirs in zip(together.history, alone.history, strict=True):
            assert ours.loss == pytest.approx(theirs.loss, rel=LOSS)
            assert ours.learning_rate == theirs.learning_rate
            assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-4)
        for name, value in alone.variables.items():
            np.testing.assert_allclose(together.variables[name], value, atol=VARIABLES)
        assert together.snapshot.recipe == alone.snapshot.recipe
        for key, position in alone.snapshot.batches.items():
            np.testing.assert_array_equal(together.snapshot.batches[key], position)
        assert together.stop is alone.stop is Stop.FINISHED
        last = together.history[-1]
        finals.append((last.loss, last.validation_loss))
    assert len(set(finals)) == len(finals), "each run has its own numbers"


def test_each_run_stops_by_itself_and_keeps_what_it_stopped_with(tmp_path: Path) -> None:
    stopping = "trainer.early_stopping={metric: loss, patience: 1, min_delta: 0.02}"
    overrides = [[stopping, "trainer.epochs=8", f"optimizer.learning_rate={rate}"]
                 for rate in (0.03, 0.001)]
    pairs = both_ways(overrides, tmp_path)
    steps = [together.history[-1].step for _, together in pairs]
    assert len(set(steps)) == 2, "otherwise the test shows nothing"
    for alone, together in pairs:
        assert together.stop is alone.stop
        assert together.history[-1].step == alone.history[-1].step
        assert int(together.snapshot.state.step) == int(alone.snapshot.state.step)
        for name, value in alone.variables.items():
            np.testing.assert_allclose(together.variables[name], value, atol=VARIABLES)


def test_a_run_trained_together_goes_on_alone(tmp_path: Path) -> None:
    """Snapshots are the same in form: half of the way together, the rest alone."""
    recipe = (*SMALL, "trainer.checkpoint_every=1", "trainer.keep_checkpoints=10")
    configs = [configured(*recipe, f"seed={seed}") for seed in (0, 1)]
    network = model.build(configs[0].model)
    members = [Member(network, config, tmp_path / str(k)) for k, config in enumerate(configs)]
    together = train.fit_together(members, digits())
    first = sorted((tmp_path / "0").iterdir(), key=lambda path: int(path.name))[0]
    resumed = train.fit(network, digits(), configs[0], tmp_path / "rest", resume=first)
    assert [one.step for one in resumed.history] == [one.step for one in together[0].history]
    for name, value in resumed.variables.items():
        np.testing.assert_allclose(together[0].variables[name], value, atol=VARIABLES)


def test_an_observer_ends_its_own_run_alone(tmp_path: Path) -> None:
    configs = [configured(*SMALL, f"seed={seed}") for seed in (0, 1)]
    network = model.build(configs[0].model)
    members = [
        Member(network, configs[0], tmp_path / "0", [lambda interval, state: Stop.PRUNED]),
        Member(network, configs[1], tmp_path / "1"),
    ]
    pruned, whole = train.fit_together(members, digits())
    assert (pruned.stop, len(pruned.history)) == (Stop.PRUNED, 1)
    assert (whole.stop, whole.history[-1].step) == (Stop.FINISHED, 30)


def shape(*overrides: str) -> str:
    config = configured("trainer.batch_size=20", *overrides)
    return _shape(Run(Job(Path(), 0, (), Process("")), config, Path(), "train", task))


def test_runs_of_one_shape_differ_in_numbers_alone() -> None:
    plain = shape()
    for same in (["seed=5"], ["optimizer.learning_rate=0.5"], ["trainer.label_smoothing=0.1"],
                 ["persistence=none"], ["gate=none"], ["notes=x"]):
        assert shape(*same) == plain, same
    for other in (["model=softmax"], ["trainer.batch_size=10"], ["trainer.epochs=4"],
                  ["optimizer=sgd"], ["optimizer.clip_norm=1"],
                  ["trainer.ema={decay: 0.9}"], ["schedule=cosine"], ["dataset=mnist"],
                  ["model.regularizer={kind: l2, scale: 1e-4}"]):
        assert shape(*other) != plain, other
    scaled = [shape(f"model.regularizer={{kind: l2, scale: {s}}}") for s in (1e-4, 1e-2)]
    assert scaled[0] == scaled[1]
