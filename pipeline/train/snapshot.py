"""The complete training state on disk, an orbax step: enough to go on, on one machine bit for bit.

A step holds `arrays` (the `TrainState`, and where the data stream stands), `record` (JSON: the
history, the early-stopping counters, the recipe the state belongs to, and the machine that made it)
and the checksums of all its files, which are compared before any of it is used.
"""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from numpy.typing import NDArray

from pipeline.budget import MemoryBudgetError
from pipeline.checkpoint.step_record import check_step
from pipeline.logs import critical_only
from pipeline.model import Variables
from pipeline.train.errors import SnapshotError, TrainError
from pipeline.train.history import Interval, Patience
from pipeline.train.machine import describe_machine, differences
from pipeline.train.state import TrainState
from pipeline.train.steps import all_steps, plainly_named, publish_step, remove_steps

log = logging.getLogger(__name__)


@dataclass
class Snapshot:
    """What a run needs in order to go on."""

    state: TrainState
    batches: dict[str, NDArray[Any]]     # the data stream: BatchIndices.state()
    recipe: dict[str, Any]               # what must not change between the two halves of a run
    history: list[Interval] = field(default_factory=list)
    patience: Patience = field(default_factory=Patience)


def save_snapshot(directory: Path, snapshot: Snapshot, *, keep: int | None = None) -> Path:
    """Writes one orbax step, complete or not at all; removes all but the last `keep`, if given.

    A step that is there already is this run's, and the same: it stays.

    Raises:
        SnapshotWriteError: the disk is full, or may not be written.
    """
    step = int(snapshot.state.step)
    record = {
        "recipe": snapshot.recipe,
        "history": [asdict(interval) for interval in snapshot.history],
        "patience": asdict(snapshot.patience),
        "machine": describe_machine(),
    }
    if step not in all_steps(directory):
        # Not asynchronous: the next interval is given the state's buffers to overwrite.
        arrays = _arrays(snapshot)
        items = ocp.args.Composite(
            arrays=ocp.args.StandardSave(arrays), record=ocp.args.JsonSave(record))
        publish_step(directory, step, items, sum(leaf.nbytes for leaf in jax.tree.leaves(arrays)))
    if keep is not None:
        remove_steps(directory, keep)
    return directory / str(step)


def load_snapshot(step_directory: Path, like: Snapshot) -> Snapshot:
    """One step, in the form of `like`, the snapshot of a run that is about to start.

    Raises:
        TrainError: the step was made by another recipe; the text shows the difference.
        SnapshotError: it is damaged, or no step of ours.
    """
    with _reading(step_directory) as plain, \
            ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        record = checkpointer.restore(
            plain, args=ocp.args.Composite(record=ocp.args.JsonRestore()))["record"]
        _require_same_recipe(step_directory, as_of_today(record["recipe"], like.recipe),
                             expected=like.recipe)
        _tell_of_another_machine(step_directory, record.get("machine") or {})
        template = jax.tree.map(ocp.utils.to_shape_dtype_struct, _arrays(like))
        arrays = checkpointer.restore(
            plain, args=ocp.args.Composite(arrays=ocp.args.StandardRestore(template)))["arrays"]
        return Snapshot(
            state=replace(arrays["state"], key=jax.random.wrap_key_data(arrays["state"].key)),
            batches={name: np.asarray(value) for name, value in arrays["batches"].items()},
            recipe=like.recipe,
            history=[Interval(**interval) for interval in record["history"]],
            patience=Patience(**record["patience"]),
        )


@contextmanager
def _reading(step_directory: Path) -> Iterator[Path]:
    """A path for orbax to a step whose checksums are right; says so where it has none.

    Orbax has no error of its own: what it meets in a damaged step, it raises.
    """
    try:
        if not check_step(step_directory):
            log.warning("%s: has no checksums, so its values are unchecked", step_directory)
        with critical_only("absl"), plainly_named(step_directory) as plain:
            yield plain
    except (TrainError, MemoryBudgetError):
        raise
    except Exception as error:
        raise SnapshotError(
            f"{step_directory}: damaged, or no orbax step written by training "
            f"({type(error).__name__}: {str(error)[:200]}); remove it to go on from the step "
            "before it, or start a new run without restore=auto"
        ) from error


def find_step(directory: Path) -> Path | None:
    """The directory of one orbax step: `directory` itself, or the newest complete one in it."""
    if (directory / "arrays").is_dir():
        return directory
    steps = all_steps(directory)
    return directory / str(steps[-1]) if steps else None


def load_variables(step_directory: Path) -> Variables:
    """The variables of one orbax step: EMA shadows where the run kept them.

    Raises:
        TrainError: there is no step of ours in that directory.
        SnapshotError: it is damaged.
    """
    if not (step_directory / "arrays").is_dir():
        raise TrainError(
            f"{step_directory}: not an orbax step written by training (no arrays/ in it); give the "
            "directory named after the step, such as outputs/…/orbax/5000"
        )
    handler = ocp.StandardCheckpointHandler()
    with _reading(step_directory) as plain, ocp.Checkpointer(handler) as checkpointer:
        state = checkpointer.restore(plain / "arrays")["state"]
        return {**state["params"], **state["ema"], **state["statistics"]}


def _arrays(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot's arrays as one pytree; the random key as raw words, which orbax can hold."""
    state = snapshot.state
    return {
        "state": replace(state, key=jax.random.key_data(state.key)),
        "batches": snapshot.batches,
    }


def _tell_of_another_machine(directory: Path, then: dict[str, Any]) -> None:
    changed = differences(then, describe_machine())
    if changed:
        log.warning("%s: made on another machine (%s); the run goes on from the same state, but "
                    "its last bits may differ from those of a run that was never stopped",
                    directory, changed)


def as_of_today(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """A recipe of 0.1 as one of today.

    It held the options of all optimizers and schedules; and keys of `trainer` came later, which
    were as good as null.
    """
    later = {key: None for key, value in expected["trainer"].items() if value is None}
    found = found | {"trainer": later | found["trainer"]}
    return {
        section: {key: value for key, value in said.items() if key in expected[section]}
        if section in ("optimizer", "schedule") else said
        for section, said in found.items()
    }


def _require_same_recipe(directory: Path, found: Any, expected: Any) -> None:
    if found == expected:
        return
    before, now = (
        json.dumps(recipe, indent=1, sort_keys=True).splitlines() for recipe in (found, expected)
    )
    changed = [
        line for line in difflib.unified_diff(before, now, lineterm="", n=0)
        if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    raise TrainError(
        f"{directory}: this run was started with another configuration (- then, + now):\n  "
        + "\n  ".join(changed)
        + "\nrepeat it with the same one, or start a new run without restore=auto"
    )
