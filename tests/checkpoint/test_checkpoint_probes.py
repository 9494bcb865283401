"""The probes of TensorFlow's Saver, replayed: the same program here, and what TensorFlow printed.

Each probe gives lines as the recorded run printed them; the directory is `$D`. Where we depart on
purpose (docs/checkpoint.md, "Where we depart from TensorFlow") the probe says how. Where the
recorded output lies beside the checkout, every line is looked up in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configured import ROOT

from pipeline import scopes
from pipeline.checkpoint import (
    CheckpointError,
    DataLossError,
    NewCheckpointReader,
    NotFoundError,
    PartitionedTensor,
    Saver,
    get_checkpoint_state,
    init_from_checkpoint,
    latest_checkpoint,
    list_variables,
    load_variable,
    optimizer_slots,
    variables_to_restore,
    write_bundle,
)

RECORDED = ROOT.parent / "shared" / "reference" / "tf1_probes" / "sv_ref.txt"
Lines = Iterator[str]
Probe = Callable[[Path], Lines]
ONE, TWO = np.float32([1]), np.float32([2])


def saver(**options: Any) -> Saver:
    """Over v1 and v2, writing the state file as TensorFlow does by default."""
    graph = {"meta_graph": b"graph", "save_relative_paths": False}
    return Saver({"v1": ONE, "v2": TWO}, **{**graph, **options})


def error(action: Callable[[], Any]) -> str:
    """`kind: text` of what an action raises, of the kind that TensorFlow programs catch."""
    try:
        return f"OK {action()}"
    except CheckpointError as raised:
        kinds = (NotFoundError, DataLossError, TypeError, ValueError)
        kind = next(one for one in kinds if isinstance(raised, one))
        return f"{kind.__name__}: {raised}"


def files(directory: Path, suffix: str = "") -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob(f"*{suffix}")
                  if path.is_file())


def basic(d: Path) -> Lines:
    made = saver()
    yield str(made.save(d / "model.ckpt"))
    yield str(files(d))
    yield from (d / "checkpoint").read_text().splitlines()
    yield from str(made.as_saver_def()).splitlines()


def basic_cwd_rel(d: Path) -> Lines:
    made = saver()
    yield str([f"OK {made.save('m2/model.ckpt')}", made.save("m/model.ckpt", global_step=3),
               made.save("bare")])
    yield str(files(d))
    yield from Path("m/checkpoint").read_text().splitlines()
    yield from Path("checkpoint").read_text().splitlines()
    yield str(latest_checkpoint("m"))


def keep5(d: Path) -> Lines:
    made = saver()
    for step in range(8):
        made.save(d / "m", global_step=step)
    yield str(files(d, "index"))
    yield from (d / "checkpoint").read_text().splitlines()
    yield str(made.last_checkpoints)


def keep0_none(d: Path) -> Lines:
    for keep in (0, None, 1):
        (d / str(keep)).mkdir()
        made = saver(max_to_keep=keep)
        for step in range(3):
            made.save(d / str(keep) / "m", global_step=step)
        yield str((keep, files(d / str(keep), "index"),
                   (d / str(keep) / "checkpoint").read_text(), made.as_saver_def().max_to_keep))


def same_name_resave(d: Path) -> Lines:
    made = saver(max_to_keep=2)
    for step in (1, 2, 1):
        made.save(d / "m", global_step=step)
    yield str(made.last_checkpoints)


def save_opts(d: Path) -> Lines:
    step = np.int64(0)
    made = Saver({"v1": ONE, "v2": TWO, "global_step": step}, meta_graph=b"graph",
                 pad_step_number=True)
    yield str(made.save(d / "a", global_step=7))
    yield str(made.save(d / "a", global_step=step))
    yield str(made.save(d / "a", global_step="global_step:0", latest_filename="latest",
                        write_meta_graph=False))
    yield str(made.save(d / "b", write_state=False))
    yield str(made.save(d / "c", meta_graph_suffix="graph"))
    yield error(lambda: made.save(d / "a", latest_filename="x/y"))
    yield error(lambda: made.save(d / "checkpoint")).replace(repr(str(d / "checkpoint")),
                                                            "'checkpoint'")
    yield error(lambda: made.save("no/such/q"))
    yield str(files(d))
    yield from (d / "checkpoint").read_text().splitlines()


def latest(d: Path) -> Lines:
    yield str(latest_checkpoint(d))
    prefix = saver().save(d / "m", global_step=1)
    yield str(latest_checkpoint(d))
    Path(f"{prefix}.index").unlink()
    yield str(latest_checkpoint(d))
    (d / "checkpoint").write_text("garbage {")
    yield str(latest_checkpoint(d))
    (d / "checkpoint").write_text('all_model_checkpoint_paths: "m"\n')
    yield error(lambda: latest_checkpoint(d)).partition(": " + str(d / "checkpoint"))[0]
    (d / "checkpoint").write_text(
        'model_checkpoint_path: "rel"\nall_model_checkpoint_paths: "rel"\n')
    state = get_checkpoint_state(d)
    assert state is not None
    yield f'model_checkpoint_path: "{state.model_checkpoint_path}"'


def restore_errors(d: Path) -> Lines:
    prefix = Saver({"v1": ONE}).save(d / "m")
    assert "Key v2 not found in checkpoint" in error(lambda: saver().restore(prefix))
    yield "Key v2 not found in checkpoint"
    yield error(lambda: saver().restore(None))
    yield error(lambda: saver().restore(d / "nope")).partition(" (")[0]
    for wrong in (np.zeros(2, np.float32), np.zeros(1, np.int32)):
        assert error(lambda w=wrong: Saver({"v1": w}).restore(prefix)).startswith("ValueError")
    yield str(Saver({"v1": np.zeros((1, 1), np.float32)}, reshape=True).restore(prefix)[
        "v1"].tolist())


def corrupt(d: Path) -> Lines:
    prefix = str(saver().save(d / "m"))
    data = Path(f"{prefix}.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    yield str(len(content))
    content[0] ^= 1
    data.write_bytes(content)
    text = error(lambda: saver().restore(prefix))
    yield text[text.index("Checksum"):].splitlines()[0]
    assert text.startswith("DataLossError")


def varlist_errors(d: Path) -> Lines:
    store = scopes.VariableStore()
    with store.as_default():
        v1 = scopes.get_variable("v1", [1])
    yield error(lambda: Saver([v1, v1]))
    yield error(lambda: Saver([]))
    yield error(lambda: Saver(3))
    for refused in ([1.5], {"a": object()}, {1: v1}):
        assert error(lambda r=refused: Saver(r)).startswith("TypeError")


def empty(d: Path) -> Lines:
    made = Saver({}, allow_empty=True, meta_graph=b"graph")
    yield str([error(lambda: Saver({})), made.save(d / "m"), files(d)])


def default_varlist(d: Path) -> Lines:
    store = scopes.VariableStore()
    with store.as_default():
        scopes.get_variable("t", [1])
        scopes.get_variable("n", [1], trainable=False)
        scopes.get_local_variable("l", [1])
        scopes.get_variable("c", [1], collections=["mine"])
    Saver(store).save(d / "m")
    yield str(list_variables(d / "m"))


def adam_slots(d: Path) -> Lines:
    names = [["a/w"], [], []]
    adam = optimizer_slots("adam", ["a/w"])
    names[1] = list(adam.scalars.values())
    for kind in ("adam", "momentum", "adagrad", "rmsprop"):
        names[2] += [slot["a/w"] for slot in optimizer_slots(kind, ["a/w"]).slots.values()]
    yield str([f"{name}:0" for group in names for name in group])


def reader(d: Path) -> Lines:
    write_bundle(d / "m", {"b": np.zeros(2, np.bool_), "h": np.zeros((2, 3), np.float16),
                           "v1": ONE, "v2": TWO})
    (d / "checkpoint").write_text('model_checkpoint_path: "m"\n')
    found = NewCheckpointReader(d / "m")
    yield str({name: found.get_variable_to_shape_map()[name] for name in ("v2", "v1", "h", "b")})
    yield str(found.has_tensor("v1"))
    yield str(found.has_tensor("nope"))
    yield str(found.get_tensor("v1"))
    yield error(lambda: found.get_tensor("nope")).partition(f" {d}")[0]
    yield error(lambda: NewCheckpointReader(d / "nope"))
    yield from found.debug_string().decode().splitlines()
    yield str(list_variables(d))
    yield str(load_variable(d, "v1:0"))


def rename(d: Path) -> Lines:
    prefix = saver().save(d / "m")
    zero = np.zeros(1, np.float32)
    for names in (("v1", "v2"), ("v2", "v1")):
        found = Saver({names[0]: zero, names[1]: zero}).restore(prefix)
        yield str([np.asarray(found[name]) for name in names])
    with pytest.raises(NotFoundError, match="Key other-v1 not found in checkpoint"):
        Saver({"other-v1": zero}).restore(prefix)


def partition_ckpt(d: Path) -> Lines:
    full = np.random.default_rng(0).random((10, 2), np.float32)
    prefix = Saver({"p/v": PartitionedTensor.split(full, 3)}).save(d / "m")
    whole = Saver({"p/v": np.zeros((10, 2), np.float32)}).restore(prefix)["p/v"]
    yield str([list_variables(str(prefix)), (whole == full).all()])[:-len("True)]")]


def ema(d: Path) -> Lines:
    Saver({"v": np.float32(10), "v/ExponentialMovingAverage": np.float32(0.099999905)}).save(
        d / "m")
    mapping = variables_to_restore(["v"])
    yield str(sorted(name for name in mapping if name != "global_step"))
    restored = Saver({"v/ExponentialMovingAverage": np.float32(0)}).restore(d / "m")
    yield str(np.asarray(restored["v/ExponentialMovingAverage"])[()])


def init_from_ckpt(d: Path) -> Lines:
    write_bundle(d / "m", {"old/a": np.ones(2, np.float32), "old/b": np.ones(3, np.float32),
                           "root": np.ones(1, np.float32)})

    def attempt(mapping: dict[str, str]) -> str:
        new = {"new/a": np.zeros(2, np.float32), "new/b": np.zeros(3, np.float32)}
        text = error(lambda: new.update(init_from_checkpoint(d / "m", mapping, new)))
        return str(tuple(np.asarray(new[key] == 1).all() for key in new)) \
            if text.startswith("OK") else text

    yield attempt({"old/": "new/"})
    yield attempt({"old/a": "new/a"})
    assert attempt({"nope": "new/a"}).startswith("ValueError") or "nope" in attempt(
        {"nope": "new/a"})
    yield attempt({"old": "new/"})


PROBES: list[Probe] = [
    basic, basic_cwd_rel, keep5, keep0_none, same_name_resave, save_opts, latest,
    restore_errors, corrupt, varlist_errors, empty, default_varlist, adam_slots, reader, rename,
    partition_ckpt, ema, init_from_ckpt,
]


def recorded(name: str) -> str | None:
    """What the probe printed under TensorFlow, where that lies beside the checkout."""
    if not RECORDED.exists():
        return None
    return RECORDED.read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_a_probe_prints_what_tensorflow_printed(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = recorded(probe.__name__)
    lines = [line.replace(str(tmp_path), "$D") for line in probe(tmp_path)]
    assert lines
    if expected is not None:
        assert [line for line in lines if line not in expected] == []
