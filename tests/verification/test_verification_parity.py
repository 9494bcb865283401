"""What was damaged is found and named; what was not is left in peace."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from configured import digits
from persisted_cases import Persisted, recipe

from pipeline import checkpoint, data, flow, graph, model, persistence
from pipeline.config.persistence import VerificationConfig
from pipeline.context import Context
from pipeline.persistence import Artifact
from pipeline.verification import Parity, VerificationError, require_parity, verify
from pipeline.verification.parity import compare

Runs = Callable[[str], Persisted]
CONFIG = VerificationConfig(examples=20)


def logits(*changes: tuple[int, int, float]) -> np.ndarray:
    made = np.random.default_rng(0).normal(size=(20, 10)).astype(np.float32)
    made[0, 0] = 4.0    # the largest, so that the bound is 1e-5 + 4e-4
    for row, column, value in changes:
        made[row, column] = value
    return made


@pytest.mark.parametrize(
    ("native", "found", "agrees"),
    [
        (logits(), logits(), True),
        (logits(), logits() + np.float32(4.0e-4), True),
        (logits(), logits() + np.float32(4.3e-4), False),
        (logits(), logits((3, 3, 9.0)), False),
        (logits(), logits((3, 3, np.nan)), False),
        (logits((3, 3, np.nan)), logits((3, 3, np.nan)), False),
        (logits((3, 3, np.inf)), logits((3, 3, np.inf)), False),
        (logits((3, 3, np.inf)), logits(), False),
        (logits(), logits()[:19], False),
        (logits(), logits()[:, :9], False),
        (np.zeros((20, 10), np.float32), np.zeros((20, 10), np.float32), True),
        (np.zeros((20, 10), np.float32), np.full((20, 10), 1e-4, np.float32), False),
    ],
)
def test_comparison(native: np.ndarray, found: np.ndarray, agrees: bool) -> None:
    parity = compare("it", native, found, CONFIG)
    assert parity.agrees is agrees
    assert parity.detail
    if agrees:
        require_parity([parity])
    else:
        with pytest.raises(VerificationError, match="artefact it: differs"):
            require_parity([parity])


def test_all_that_disagree_are_named() -> None:
    parities = [Parity(name, 1.0, 0.1, name == "good", "d") for name in ("bad", "good", "worse")]
    with pytest.raises(VerificationError) as refused:
        require_parity(parities)
    assert "artefact bad" in str(refused.value)
    assert "artefact worse" in str(refused.value)
    assert "good" not in str(refused.value)
    assert refused.value.exit_code == 4


@pytest.mark.parametrize("name", ["adam", "momentum", "cnn"])
def test_whole_artefacts_agree(persisted: Runs, name: str) -> None:
    run = persisted(name)
    parities = verify(
        run.trained, run.config.persistence, list(run.artifacts.values()), digits().test.pixels,
        CONFIG,
    )
    assert {parity.artifact.split()[0] for parity in parities} == set(run.artifacts)
    require_parity(parities)
    assert all("20 examples" in parity.detail for parity in parities)


def damage_graph(directory: Path) -> None:
    """One weight matrix of the frozen graph becomes another, in a graph that is still valid."""
    path = directory / "frozen_graph.pb"
    graph_def = graph.load_graph(path)
    node = next(node for node in graph_def.node if node.name == "layer2/weights")
    value = graph.decode_tensor(node.attr["value"].tensor)
    node.attr["value"].tensor.CopyFrom(graph.encode_tensor(value[::-1].copy()))
    graph.save_graph(graph_def, path)


def damage_bundle(prefix: str) -> Callable[[Path], None]:
    """The variables of a checkpoint become others, with checksums that fit."""

    def change(directory: Path) -> None:
        reader = checkpoint.CheckpointReader(directory / prefix)
        names = reader.get_variable_to_shape_map()
        tensors = {name: np.asarray(reader.get_tensor(name)) for name in names}
        changed = {
            name: value * 1.01 if value.dtype == np.float32 else value
            for name, value in tensors.items()
        }
        checkpoint.write_bundle(directory / prefix, changed)

    return change


def flip(*names: str) -> Callable[[Path], None]:
    """One bit in the middle of the file."""

    def change(directory: Path) -> None:
        for name in names:
            content = bytearray((directory / name).read_bytes())
            content[len(content) // 2] ^= 1
            (directory / name).write_bytes(content)

    return change


def truncate(pattern: str) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        for path in directory.glob(pattern):
            if path.is_file():
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


DAMAGE: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "weights in the frozen graph": (damage_graph, {"frozen_graph"}),
    "half a frozen graph": (truncate("frozen_graph.pb"), {"frozen_graph"}),
    "no frozen graph": (remove("frozen_graph.pb"), {"frozen_graph"}),
    "values in the checkpoint": (
        damage_bundle("model.ckpt-6"), {"tf_checkpoint", "tf_checkpoint .meta"}
    ),
    "a bit in the checkpoint's data": (flip("model.ckpt-6.data-00000-of-00001"), {"tf_checkpoint"}),
    "a bit in the checkpoint's index": (flip("model.ckpt-6.index"), {"tf_checkpoint"}),
    "no index": (remove("model.ckpt-6.index"), {"tf_checkpoint"}),
    "half a MetaGraph beside it": (truncate("model.ckpt-6.meta"), {"tf_checkpoint"}),
    "half a MetaGraph": (truncate("graph.meta"), {"meta_graph"}),
    "values in the SavedModel": (damage_bundle("saved_model/variables/variables"), {"saved_model"}),
    "half a SavedModel": (truncate("saved_model/saved_model.pb"), {"saved_model"}),
    "no variables in the SavedModel": (
        remove("saved_model/variables/variables.index"), {"saved_model"}
    ),
    "half of the orbax data": (truncate("orbax/6/arrays/d/*"), {"orbax"}),
    "half of the orbax metadata": (truncate("orbax/6/arrays/_METADATA"), {"orbax"}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_where_it_is(persisted: Runs, tmp_path: Path, what: str) -> None:
    run = persisted("adam")
    directory = Path(shutil.copytree(run.directory, tmp_path / "run"))
    change, expected = DAMAGE[what]
    change(directory)
    moved = [
        replace(artifact, path=directory / artifact.path.relative_to(run.directory))
        for artifact in run.artifacts.values()
    ]
    parities = verify(
        run.trained, run.config.persistence, moved, digits().test.pixels, CONFIG
    )
    assert {parity.artifact for parity in parities if not parity.agrees} == expected
    assert {parity.artifact.split()[0] for parity in parities} == set(run.artifacts)
    with pytest.raises(VerificationError):
        require_parity(parities)


def test_a_run_with_a_damaged_artefact_still_reports_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = persistence.persist

    def persist_and_damage(*arguments: Any) -> list[Artifact]:
        made = honest(*arguments)
        damage_graph(tmp_path)
        return made

    monkeypatch.setattr(persistence, "persist", persist_and_damage)
    monkeypatch.setattr(data, "load", lambda *arguments, **options: digits())
    config = recipe("sgd", f"runtime.cache_directory={tmp_path / 'cache'}")
    with pytest.raises(VerificationError, match="artefact frozen_graph: differs") as failed:
        flow.train_run(config, Context(tmp_path))
    assert failed.value.exit_code == 4
    assert (tmp_path / "report.html").stat().st_size > 10_000
    record = json.loads((tmp_path / "metrics.json").read_text())
    verdicts = {parity["artifact"]: parity["agrees"] for parity in record["parity"]}
    assert verdicts.pop("frozen_graph") is False
    assert all(verdicts.values())
    assert (tmp_path / "frozen_graph.pb").is_file(), "the files are kept"


def test_a_diverged_model_is_not_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where training went to infinity every artefact says so too, and none may be used."""
    monkeypatch.setattr(data, "load", lambda *arguments, **options: digits())
    config = recipe(
        "sgd", "optimizer.learning_rate=1e30", f"runtime.cache_directory={tmp_path / 'cache'}"
    )
    with pytest.raises(VerificationError, match="artefact frozen_graph"):
        flow.train_run(config, Context(tmp_path))
    assert json.loads((tmp_path / "metrics.json").read_text())["test_loss"] is None


def test_only_the_first_examples_are_run(persisted: Runs) -> None:
    run = persisted("sgd")
    parities = verify(
        run.trained, run.config.persistence, list(run.artifacts.values()),
        digits().test.pixels, VerificationConfig(examples=7),
    )
    assert all("7 examples" in parity.detail for parity in parities)
    native = model.predict_logits(run.trained.network, run.trained.variables,
                                  digits().test.pixels[:7])
    assert native.shape == (7, 10)
