"""orbax ↔ TensorFlow checkpoints, with only a few tensors in memory at a time.

From orbax, a leaf's path becomes its name: `params/layer1/weights`. A training step of this
pipeline gets the names that TensorFlow 1 gives the same state: `layer1/weights`,
`layer1/weights/Adam`, `layer1/weights/ExponentialMovingAverage`, `global_step`. To orbax, a
checkpoint becomes one dict of arrays by name.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import tensorstore as ts
from numpy.typing import NDArray

from pipeline import checkpoint, dtypes
from pipeline.checkpoint.orbax_tree import orbax_trees
from pipeline.checkpoint.recognise import Kind, recognise
from pipeline.checkpoint.step_record import check_step, write_checksums
from pipeline.config import optimizers
from pipeline.config.optimizers import Slots
from pipeline.config.several_runs import several_runs
from pipeline.logs import errors_only
from pipeline.persistence.artifact import PersistenceError

log = logging.getLogger(__name__)

_BATCH_BYTES = 64 << 20  # fetched from orbax at once; a larger tensor is a batch of its own


def convert(source: Path, destination: Path) -> Path:
    """Turns an orbax step into a TensorFlow checkpoint, or the other way round.

    Args:
        source: an orbax step, or a checkpoint's prefix, directory or SavedModel.
        destination: the new checkpoint's prefix, or the new orbax step's directory.

    Returns:
        The destination.

    Raises:
        PersistenceError: the source is neither, has a string tensor that orbax cannot hold, or the
            destination exists.
        CheckpointError: the checkpoint is damaged, or the destination cannot be written.
    """
    found = recognise(source)
    if found.kind is Kind.ORBAX:
        # orbax warns that one item of a step has not the metadata of a whole step; it need not
        with errors_only("absl"):
            _to_tensorflow(Path(found.path), destination)
    elif found.kind in (Kind.CHECKPOINT, Kind.SAVED_MODEL):
        _to_orbax(checkpoint.load_checkpoint(found.path), destination)
    else:
        raise PersistenceError(f"{source}: is {several_runs(source) or found.what}; expected "
                               "an orbax step or a TensorFlow checkpoint")
    return destination


def _to_tensorflow(step: Path, prefix: Path) -> None:
    if checkpoint.checkpoint_exists(prefix):
        raise PersistenceError(f"{prefix}: exists; remove it, or choose another name")
    trees = orbax_trees(str(step))
    if len(trees) != 1:
        raise PersistenceError(f"{step}: holds {len(trees)} trees of arrays; expected one")
    if not check_step(step):
        log.warning("%s: has no checksums, so its values are unchecked", step)
    arrays = Path(trees[0]).parent
    with _Tree(arrays, slots := _recorded_slots(arrays.parent)) as tree:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        tensors = tree.tensors() | _powers(slots, tree)
        checkpoint.write_bundle(prefix, dict(sorted(tensors.items())))


def _to_orbax(reader: checkpoint.CheckpointReader, directory: Path) -> None:
    if directory.exists():
        raise PersistenceError(f"{directory}: exists; remove it, or choose another directory")
    keys = reader.variable_paths() or {name: name for name in reader}
    strings = [name for name, key in keys.items()
               if reader.entry(key).dtype == dtypes.NUMBER["STRING"]]
    if strings:
        raise PersistenceError(f"{reader.prefix}: orbax holds no strings, and {strings} are")
    partial = directory.resolve().with_name(f"{directory.name}.partial")
    skeleton = {name: np.zeros((), reader.get_variable_to_dtype_map()[key])
                for name, key in keys.items()}
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(partial, args=ocp.args.PyTreeSave(skeleton), force=True)
    for name in sorted(keys):
        _write_array(partial, name, reader.get_tensor(keys[name]))
    write_checksums(partial)
    partial.rename(directory)


def _write_array(step: Path, name: str, array: NDArray[Any]) -> None:
    """Replaces one leaf of an orbax step, a piece at a time.

    `Checkpointer.save` copies every array before it writes the first one, so it is given scalars;
    their place is then taken by the real arrays, in the store that orbax keeps all leaves in.
    """
    spec = {
        "driver": "zarr",
        "kvstore": {"driver": "ocdbt", "base": step.as_uri(), "path": f"{name}/"},
    }
    rows = max(1, _BATCH_BYTES // max(1, array[:1].nbytes)) if array.ndim else 1
    chunk = [max(1, size) for size in (*(min(rows, n) for n in array.shape[:1]), *array.shape[1:])]
    leaf = ts.open(spec, create=True, delete_existing=True, dtype=array.dtype, shape=array.shape,
                   chunk_layout=ts.ChunkLayout(chunk_shape=chunk)).result()
    if array.ndim == 0:
        leaf.write(array).result()
        return
    for start in range(0, len(array), rows):
        piece = array[start : start + rows]
        leaf[start : start + len(piece)].write(piece).result()


class _Tree:
    """The leaves of an orbax tree, fetched in batches when they are asked for."""

    def __init__(self, directory: Path, slots: Slots | None) -> None:
        self._directory = directory.resolve()
        self._checkpointer = ocp.Checkpointer(ocp.PyTreeCheckpointHandler())
        metadata = self._checkpointer.metadata(self._directory).item_metadata.tree
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(metadata, is_leaf=_is_leaf)
        self._metadata = {_path(path): leaf for path, leaf in leaves}
        slots = slots or _guessed_slots(self._metadata)
        self._names = (_training_names(self._metadata, slots)
                       or {path: path for path in self._metadata})
        self._negated = {slots.fields[slot] for slot in slots.negated} if slots else set[str]()
        by_name = sorted(self._names, key=lambda path: self._names[path])
        self._batch_of = dict(_batches({path: self._metadata[path] for path in by_name}))
        self._held: OrderedDict[int, dict[str, NDArray[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def __enter__(self) -> _Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self._checkpointer.close()

    def tensors(self) -> dict[str, Any]:
        """The leaves by the name that each shall have in a TensorFlow checkpoint."""
        return {name: _Leaf(self, path, self._metadata[path], name == checkpoint.GLOBAL_STEP)
                for path, name in self._names.items()}

    def is_negated(self, path: str) -> bool:
        """Whether TensorFlow keeps the negative of this leaf."""
        return not self._negated.isdisjoint(path.split("/"))

    def fetch(self, path: str) -> NDArray[Any]:
        """One leaf; the writer asks in order, with two threads, so two batches are held."""
        with self._lock:
            batch = self._batch_of[path]
            if batch not in self._held:
                self._held[batch] = self._restore(batch)
                while len(self._held) > 2:
                    self._held.popitem(last=False)
            return self._held[batch][path]

    def _restore(self, batch: int) -> dict[str, NDArray[Any]]:
        item = jax.tree_util.tree_unflatten(self._structure, [
            leaf if self._batch_of.get(path) == batch else ocp.PLACEHOLDER
            for path, leaf in self._metadata.items()
        ])
        how = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), item,
                           is_leaf=_is_leaf)
        restored = self._checkpointer.restore(
            self._directory, args=ocp.args.PyTreeRestore(item=item, restore_args=how)
        )
        leaves, _ = jax.tree_util.tree_flatten_with_path(restored)
        found = {_path(path): leaf for path, leaf in leaves}
        return {path: np.asarray(found[path]) for path, number in self._batch_of.items()
                if number == batch}


class _Leaf:
    """An array that is fetched when its bytes are due."""

    def __init__(self, tree: _Tree, path: str, metadata: Any, is_step: bool) -> None:
        self._tree, self._path = tree, path
        self.shape = tuple(metadata.shape)
        self.dtype = np.dtype(np.int64 if is_step else metadata.dtype)  # TensorFlow counts in int64

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self._tree.fetch(self._path).astype(self.dtype, copy=False)
        return -array if self._tree.is_negated(self._path) else array


def _batches(metadata: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(path, number of its batch), in the order given, which is that of writing."""
    batch, held = 0, 0
    for path, leaf in metadata.items():
        size = math.prod(leaf.shape) * leaf.dtype.itemsize
        if held and held + size > _BATCH_BYTES:
            batch, held = batch + 1, 0
        held += size
        yield path, batch


def _training_names(paths: Mapping[str, Any], slots: Slots | None) -> dict[str, str]:
    """Path → TensorFlow's name, for a training step of this pipeline; empty for any other tree."""
    variables = [path.removeprefix("state/params/") for path in paths
                 if path.startswith("state/params/")]
    if not variables or "state/step" not in paths:
        return {}
    names = {"state/step": checkpoint.GLOBAL_STEP}
    for path in paths:
        root, _, name = path.removeprefix("state/").partition("/")
        if root in ("params", "statistics"):
            names[path] = name
        elif root == "ema":
            names[path] = checkpoint.average_name(name)
        elif root == "opt_state" and slots is not None:
            for variable in variables:
                key = _slot_key(name, variable, slots)
                if key is not None:
                    names[path] = key
    return names


def _recorded_slots(step: Path) -> Slots | None:
    """TensorFlow's names for the optimizer's state, by the recipe beside a step of ours."""
    record = step / "record" / "metadata"
    if not record.is_file():
        return None
    slots = optimizers.from_record(json.loads(record.read_text())["recipe"]["optimizer"]).slots()
    return slots if isinstance(slots, Slots) else None


def _guessed_slots(paths: Iterable[str]) -> Slots | None:
    """Of a step that has lost its record: those of the optimizer whose fields these are."""
    fields = {part for path in paths if "opt_state/" in path for part in path.split("/")}
    for name in ("adam", "momentum"):
        slots = optimizers.by_name(name, learning_rate=1.0).slots()
        if isinstance(slots, Slots) and fields.issuperset(slots.fields.values()):
            return slots
    return None


def _powers(slots: Slots | None, tree: _Tree) -> dict[str, Any]:
    """The optimizer's counters, which optax has not."""
    if slots is None or checkpoint.GLOBAL_STEP not in tree.tensors():
        return {}
    taken = int(tree.fetch("state/step"))
    return {key: np.float32(slots.powers[scalar] ** (taken + 1)) for scalar, key in
            checkpoint.optimizer_slots(slots.optimizer, ()).scalars.items()}


def _slot_key(path: str, variable: str, slots: Slots) -> str | None:
    """`0/mu/layer1/weights` → `layer1/weights/Adam`."""
    place = path.removesuffix(f"/{variable}")
    field = place.rpartition("/")[2]
    slot = next((slot for slot, ours in slots.fields.items() if ours == field), None)
    if place == path or slot is None:
        return None
    return checkpoint.optimizer_slots(slots.optimizer, [variable]).slots[slot][variable]


def _path(keys: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(keys, simple=True, separator="/")


def _is_leaf(node: Any) -> bool:
    return hasattr(node, "shape") and hasattr(node, "dtype")
