"""Somebody else's run or sweep is data, never a program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from attack import PRECIOUS, Attack, carry_out
from configured import composed

from pipeline import checkpoint, gate

# What runs when it is imported, and a class of the wanted kind besides.
EVIL = """
try:
    import attack_marker
except ImportError:
    pass
from flax import nnx
class Net(nnx.Module):
    def __init__(self, *, rngs, **arguments):
        self.layer = nnx.Linear(784, 10, rngs=rngs)
    def __call__(self, images):
        return self.layer(images)
"""

RECORD = {
    "schema_version": 1, "task": "train", "name": "run", "git": {"revision": None, "dirty": False},
    "seed": 0, "config_hash": "c0ffee", "device": "cpu:0", "versions": {}, "command": "",
    "durations": {}, "test_accuracy": 0.9, "variables": [], "artifacts": [], "parity": [],
}

Change = Callable[[dict[str, Any]], object]


def recorded(theirs: Path, change: Change) -> None:
    """A record of a run of the default configuration, but for a change."""
    configuration = composed("model=softmax")
    change(configuration)
    (theirs / ".hydra").mkdir(parents=True)
    (theirs / ".hydra" / "config.yaml").write_text(yaml.safe_dump(configuration))
    (theirs / "evil.py").write_text(EVIL)


def ended(theirs: Path) -> None:
    """What a finished run leaves besides its record, as far as gates read it."""
    (theirs / gate.RECORD_FILE).write_text(json.dumps(RECORD))
    (theirs / "outcome.json").write_text(json.dumps({
        "schema_version": 1, "number": None, "seed": 0, "overrides": [], "exit_code": 0,
        "started": "2026-01-31T12:00:00+00:00", "seconds": 1.0, "error": ""}))
    gate.write_manifest(theirs)


def model(name: str, **arguments: Any) -> Callable[[Path], None]:
    """A run whose model is named code, with a checkpoint to restore."""

    def make(theirs: Path) -> None:
        recorded(theirs, lambda made: made.update(model={
            "name": "module", "module": name, "arguments": arguments, "input_shape": [784]}))
        deep = theirs / "a" / "b"
        deep.mkdir(parents=True)
        for directory in (theirs, deep):
            checkpoint.write_bundle(directory / "model.ckpt-1", {"x": np.zeros(1, np.float32)})

    return make


def gates(**content: Any) -> Callable[[Path], None]:
    """A finished run whose record has such gates."""

    def make(theirs: Path) -> None:
        recorded(theirs, lambda made: made["gate"].update(content))
        ended(theirs)

    return make


def setting(section: str, **content: Any) -> Callable[[Path], None]:
    """A run whose record says something else in one section."""
    return lambda theirs: recorded(theirs, lambda made: made[section].update(content))


def linked(place: str, target: str) -> Callable[[Path], None]:
    """A finished run with a link in it, which its manifest knows."""

    def make(theirs: Path) -> None:
        recorded(theirs, lambda made: None)
        (theirs / place).parent.mkdir(parents=True, exist_ok=True)
        (theirs / place).symlink_to(target)
        ended(theirs)

    return make


def listing(path: str) -> Callable[[Path], None]:
    """A finished run whose manifest lists what lies elsewhere."""

    def make(theirs: Path) -> None:
        recorded(theirs, lambda made: None)
        ended(theirs)
        manifest = json.loads((theirs / "manifest.json").read_text())
        manifest["files"].append({"path": path, "bytes": 1, "sha256": "0" * 64})
        (theirs / "manifest.json").write_text(json.dumps(manifest))

    return make


def state(theirs: Path) -> None:
    """A run whose checkpoint's state file names a checkpoint elsewhere."""
    recorded(theirs, lambda made: None)
    checkpoint.write_bundle(theirs.parent / "mine" / "m-1", {"x": np.zeros(1, np.float32)})
    (theirs / "checkpoint").write_text('model_checkpoint_path: "../mine/m-1"\n')


def begun(*words: str) -> Callable[[Path], None]:
    """A sweep that was begun with a stranger's command line."""

    def make(theirs: Path) -> None:
        (theirs / ".hydra").mkdir()
        (theirs / ".hydra" / "hydra.yaml").write_text(yaml.safe_dump({"hydra": {
            "mode": "MULTIRUN", "overrides": {"task": ["seed=0,1", *words], "hydra": []},
            "runtime": {"config_sources": []}}}))

    return make


AGAIN = "say them again on this command line"
OUT = r"leads out of \S*theirs, to "
SAY = r"theirs\.evil\.Net: stands in the record of a run.* say model\.module=theirs\.evil\.Net"
INSIDE = r"theirs\.evil\.Net: lies inside a run's directory"
SERVED = ["task=serve", "run={}"]

ATTACKS = [
    Attack("code beside the run, evaluated", model("theirs.evil.Net"),
           ["task=evaluate", "restore={}"], SAY),
    Attack("code beside the run, asked for a picture", model("theirs.evil.Net"),
           ["task=predict", "restore={}", "input=x.png"], SAY),
    Attack("code beside the run, served", model("theirs.evil.Net"), SERVED, SAY),
    Attack("code beside the run, exported", model("theirs.evil.Net"),
           ["task=export", "restore={}"], SAY),
    Attack("code beside the run, trained on", model("theirs.evil.Net"), ["restore={}"], SAY),
    Attack("code two directories above a bare checkpoint", model("theirs.evil.Net"),
           ["task=evaluate", "restore={}/a/b/model.ckpt-1"], SAY),
    Attack("code inside the run, with consent to its package", model("theirs.evil.Net"),
           ["task=predict", "restore={}", "runtime.trusted_modules=[theirs]", "input=x.png"],
           INSIDE),
    Attack("code inside the run, with consent to its name", model("theirs.evil.Net"),
           ["task=predict", "restore={}", "model.module=theirs.evil.Net", "input=x.png"], INSIDE),
    Attack("a prefix is whole parts", model("theirs.evil.Net"),
           ["task=predict", "restore={}", "runtime.trusted_modules=[their]", "input=x.png"], SAY),
    Attack("a gadget that calls by name",
           model("hydra.utils.instantiate", config={"_target_": "os.system", "command": "id"}),
           ["task=predict", "restore={}", "runtime.trusted_modules=[hydra]", "input=x.png"],
           "hydra.utils.instantiate: is a function; expected a subclass of flax's Module"),
    Attack("a gadget of the machine", model("os.system", command="touch gone"),
           ["task=predict", "restore={}", "runtime.trusted_modules=[os]", "input=x.png"],
           "os.system: is a builtin_function_or_method; expected a subclass of flax's Module"),
    Attack("a class of another kind", model("subprocess.Popen", args="id"),
           ["task=predict", "restore={}", "runtime.trusted_modules=[subprocess]", "input=x.png"],
           "is the class subprocess.Popen; expected a subclass of flax's Module"),
    Attack("gates that overwrite a file", gates(accept=True, variables="mine/precious.txt"),
           ["task=gate", "run={}"], "", 0, writes=["theirs"]),
    Attack("gates that overwrite a file, with the run's thresholds asked for",
           gates(accept=True, variables="mine/precious.txt",
                 baseline={"file": "mine/precious.txt", "max_drop": {"test_accuracy": 0.1}}),
           ["task=gate", "run={}", "gate.from_run=true"], "", 0, writes=["theirs"]),
    Attack("gates that append to a file", gates(trend="mine/precious.txt"),
           ["task=gate", "run={}"], "", 0, writes=["theirs"]),
    Attack("thresholds count only when asked for",
           gates(metrics={"test_accuracy": {"at_least": 1.01}}),
           ["task=gate", "run={}", "gate.from_run=true"], "", 3, writes=["theirs"]),
    Attack("a variable of the environment as the model's name",
           setting("model", name="${oc.env:SECRET}"), ["task=evaluate", "restore={}"],
           r"model\.name=\$\{oc\.env:SECRET\}: a run's record holds no interpolations"),
    Attack("a variable of the environment in a path",
           setting("dataset", directory="/nowhere/${oc.env:SECRET}"), SERVED,
           r"dataset\.directory=.*: a run's record holds no interpolations"),
    Attack("a report that is a link", linked("report.html", "/etc/passwd"), SERVED, OUT),
    Attack("a checkpoint that is a link", linked("model.ckpt-1.index", "../mine/precious.txt"),
           ["task=predict", "restore={}", "input=x.png"], OUT),
    Attack("a link up in a directory further down", linked("a/b/c", "../../../mine"),
           ["task=evaluate", "restore={}"], OUT),
    Attack("a link to itself", linked("round", "round"), ["task=evaluate", "restore={}"],
           "nothing to restore there"),
    Attack("a link from a run that is judged", linked("gate.json", "../mine/precious.txt"),
           ["task=gate", "run={}"], OUT),
    Attack("a manifest that lists what lies elsewhere", listing("../mine/precious.txt"),
           ["task=gate", "run={}"], OUT),
    Attack("a manifest that lists an absolute path", listing("/etc/passwd"),
           ["task=gate", "run={}"], OUT),
    Attack("links in a run that is compared", linked("metrics", "/etc"),
           ["task=compare", "runs=[{},{}]"], OUT),
    Attack("a state file that names a checkpoint elsewhere", state,
           ["task=evaluate", "restore={}"], OUT),
    *(Attack(f"a sweep begun with {word}", begun(word), ["sweep.resume={}"], AGAIN) for word in (
        "model.module=theirs.evil.Net", "+model={name: x, module: theirs.evil.Net}",
        "hydra.launcher._target_=theirs.evil.Net", "+hydra.callbacks.x._target_=os.system",
        "gate.trend=mine/precious.txt", "+gate.baseline={file: mine/precious.txt}",
        "notes=${oc.env:SECRET}")),
    Attack("an interpolation in a threshold",
           gates(metrics={"${oc.env:SECRET}": {"at_least": 0.0}}),
           ["task=gate", "run={}", "gate.from_run=true"], "holds no interpolations"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_run_of_somebody_else(attack: Attack, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    carry_out(attack, home)
    assert (home / "mine" / "precious.txt").read_text() == PRECIOUS
