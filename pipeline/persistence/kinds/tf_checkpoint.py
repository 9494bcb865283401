"""A run's TensorFlow checkpoints: while it trains, in the background, and at its end."""

from __future__ import annotations

import glob
import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import checkpoint
from pipeline.config import optimizers
from pipeline.config.enclosure import below
from pipeline.config.optimizers import NoSlots, Optimizer
from pipeline.config.persistence import TargetConfig, TfCheckpointTarget
from pipeline.model import Network, predict_logits, to_input
from pipeline.persistence.artifact import Artifact
from pipeline.persistence.executed import run_meta_graph
from pipeline.persistence.fit import fitted
from pipeline.persistence.graphs import build_meta_graph
from pipeline.persistence.kinds.kind import Kind, Pixels, Reading, Trained, Written
from pipeline.persistence.tensors import model_tensors, state_tensors
from pipeline.train import Interval, Observer, TrainState

log = logging.getLogger(__name__)


class CheckpointSeries:
    """The checkpoints of one target, kept and removed as `tf.train.Saver` does."""

    def __init__(self, target: TfCheckpointTarget, network: Network, run_directory: Path) -> None:
        self._target, self._network = target, network
        self._path = run_directory / target.prefix
        self._saver = checkpoint.Saver(
            max_to_keep=target.max_to_keep,
            keep_checkpoint_every_n_hours=target.keep_checkpoint_every_n_hours,
            pad_step_number=target.pad_step_number,
            save_relative_paths=target.save_relative_paths,
            sharded=target.shards,
            meta_graph=lambda saver_def: self._meta_graph,
            align=target.align,
        )

    @cached_property
    def _meta_graph(self) -> bytes:
        message = build_meta_graph(
            self._target,
            self._network,
            resource=self._target.resource_variables,
            max_to_keep=self._target.max_to_keep,
            keep_checkpoint_every_n_hours=self._target.keep_checkpoint_every_n_hours,
        )
        return bytes(message.SerializeToString(deterministic=True))

    def save(self, tensors: Mapping[str, NDArray[Any]], step: int) -> Path:
        """Writes one checkpoint; returns its prefix."""
        prefix = self._saver.save(
            self._path,
            global_step=step if self._target.global_step else None,
            latest_filename=self._target.latest_filename,
            write_meta_graph=self._target.write_meta_graph,
            write_state=self._target.write_state,
            variables=dict(tensors),
        )
        assert prefix is not None, "there are variables, so something was saved"
        return Path(prefix)


class _InBackground:
    """An observer that saves every so many intervals in another thread, one save at a time."""

    def __init__(
        self,
        target: TfCheckpointTarget,
        series: CheckpointSeries,
        optimizer: Optimizer,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._target, self._series, self._optimizer, self._pool = target, series, optimizer, pool
        self._intervals = 0
        self._pending: Future[Path] | None = None

    def __call__(self, interval: Interval, state: TrainState) -> None:
        """Copies the state, which the next interval overwrites; the thread does the rest."""
        self._intervals += 1
        if self._target.every is None or self._intervals % self._target.every:
            return
        tensors = state_tensors(state, self._optimizer, slots=self._target.optimizer_slots,
                                averages=self._target.averages)
        copies = {name: np.array(tensor, copy=True) for name, tensor in tensors.items()}
        self.wait()
        self._pending = self._pool.submit(self._series.save, copies, interval.step)

    def wait(self) -> None:
        """Until the last save is done; raises what went wrong in it."""
        if self._pending is not None:
            self._pending.result()


@contextmanager
def saving_while_training(
    targets: Mapping[str, TargetConfig],
    network: Network,
    optimizer: Optimizer,
    run_directory: Path,
) -> Iterator[list[Observer]]:
    """Observers for `train.fit` that write the checkpoints which `every` asks for.

    Raises:
        CheckpointError: a save in the background failed.
    """
    with ExitStack() as stack:
        observers: list[Observer] = []
        for target in targets.values():
            _warn_of_lost_slots(target, optimizer)
            if isinstance(target, TfCheckpointTarget) and target.every is not None:
                pool = stack.enter_context(ThreadPoolExecutor(max_workers=1))
                series = CheckpointSeries(target, network, run_directory)
                observer = _InBackground(target, series, optimizer, pool)
                stack.callback(observer.wait)
                observers.append(observer)
        yield observers


def _warn_of_lost_slots(target: TargetConfig, optimizer: Optimizer) -> None:
    wanted = isinstance(target, TfCheckpointTarget) and target.optimizer_slots
    if wanted and isinstance(optimizer.slots(), NoSlots):
        log.warning("TensorFlow 1 has no optimizer as %s: TensorFlow checkpoints of this run hold "
                    "its variables without the optimizer's state; orbax steps hold both",
                    type(optimizer).__name__)


def _write(target: TfCheckpointTarget, trained: Trained, run_directory: Path) -> Written:
    if trained.snapshot is None:
        tensors = {name: np.asarray(value) for name, value in trained.variables.items()}
    else:
        optimizer = optimizers.from_record(trained.snapshot.recipe["optimizer"])
        tensors = state_tensors(trained.snapshot.state, optimizer,
                                slots=target.optimizer_slots, averages=target.averages)
    prefix = CheckpointSeries(target, trained.network, run_directory).save(tensors, trained.step)
    files = list(prefix.parent.glob(f"{glob.escape(prefix.name)}.*"))
    state_file = prefix.parent / target.latest_filename
    return Written(prefix, [*files, state_file] if target.write_state else files)


def _readings(
    target: TfCheckpointTarget, artifact: Artifact, trained: Trained, pixels: Pixels
) -> Iterator[Reading]:
    # The model needs no slots, but who trains on does.
    reader = checkpoint.CheckpointReader(artifact.path)
    reader.verify()
    tensors = model_tensors(list(trained.network.specs), reader)
    restored = fitted(artifact.path, tensors, trained.network)
    logits = predict_logits(trained.network, restored, pixels)
    expected = trained.variables if target.averages else trained.current
    yield Reading(artifact.target, logits, expected)
    if target.write_meta_graph:
        meta = artifact.path.with_name(artifact.path.name + ".meta")
        images = to_input(trained.network, pixels)
        logits = run_meta_graph(meta, target, images, artifact.path)
        yield Reading(f"{artifact.target} .meta", logits, trained.current)


def _at(path: Path) -> Path | None:
    prefix = path.with_suffix("") if path.suffix in (".index", ".meta") else path
    return prefix if prefix.with_name(prefix.name + ".index").is_file() else None


def _inside(directory: Path) -> Path | None:
    latest = checkpoint.latest_checkpoint(directory)
    if latest is None:
        return None
    return below(directory, latest) if (directory / ".hydra").is_dir() else Path(latest)


TF_CHECKPOINT = Kind(
    write=_write, readings=_readings, at=_at, inside=_inside,
    variables=lambda path, names: model_tensors(list(names), checkpoint.CheckpointReader(path)),
)
