"""Records that are damaged, or made to do harm: a value of the schema, or a named error."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from sweep_directory import leave

from pipeline import gate
from pipeline.config.enclosure import LeadsOut
from pipeline.config.gate import GateConfig
from pipeline.config.run_directory import claim
from pipeline.config.sweep import SweepConfig
from pipeline.errors import PipelineError
from pipeline.gate import ExitCode
from pipeline.gate.manifest import ManifestError
from pipeline.runs import RecordError, read_json, read_yaml
from pipeline.sweep import outcome
from pipeline.sweep.collect import collect
from pipeline.sweep.comparison import compare_runs
from pipeline.sweep.conclude import conclude, load_sweep
from pipeline.sweep.planned import load_plan
from pipeline.sweep.resume import as_begun, require_same, whole_command_line

MUTATIONS = int(os.environ.get("JAXFROST_CASES", "300"))
LAUGHS = "a: &a [x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(("text", "told"), [
    ("", "not JSON"), ("{", "not JSON"), ("[" * 100_000, "not JSON"),
    ("[" * 200 + "]" * 200, "nested more than 64 deep"), ('{"a": NaN}', "NaN"),
    ('{"a": 1e999}', "not finite"), ('{"a": ' + "9" * 6000 + "}", "not JSON"),
    ('{"a": "\\ud800"}', "not Unicode"), ("[]", "object"),
])
def test_json_that_is_none_of_ours_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(RecordError, match=rf"record\.json: .*({told}).*; repeat it"):
        read_json(tmp_path / "record.json", dict[str, Any], "repeat it")


@pytest.mark.parametrize(("text", "told"), [
    (LAUGHS, "an alias"), ("a: &a\n  b: *a\n", "an alias"), ("[" * 10_000, "nested more than"),
    ("a: 2001-99-99", "not YAML"), ("a: [", "not YAML"), ("\0", "not YAML"),
    ("!!python/object/apply:os.system [x]", "not YAML"), ("a: .inf", "not finite"),
    ("- a", "object"), ("a: " + "x" * 2**20, "larger than 1,048,576 bytes"),
])
def test_yaml_that_is_none_of_ours_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "record.yaml").write_text(text)
    with pytest.raises(RecordError, match=rf"record\.yaml: .*({told}).*; repeat it"):
        read_yaml(tmp_path / "record.yaml", dict[str, Any], "repeat it")


def test_what_is_no_file_is_no_record(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(RecordError, match="cannot be read"):
            read_json(path, dict[str, Any], "repeat it")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "nothing", dict[str, Any], "repeat it")


@pytest.mark.parametrize("inner", [".", "", "..", "/", "a/../..", "a\0b", "loop"])
def test_a_manifest_names_nothing_but_what_lies_below_it(tmp_path: Path, inner: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    record = {"schema_version": 1, "runs": [inner], "files": []}
    (tmp_path / "manifest.json").write_text(json.dumps(record))
    with pytest.raises((RecordError, ManifestError, LeadsOut)):
        gate.require_manifest(tmp_path)


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    """A finished sweep of two runs."""
    records = {"overrides.yaml": yaml.safe_dump(["a=0,1"]),
               "config.yaml": yaml.safe_dump({"seeds": 1, "sweep": {"metric": "m"}}),
               "hydra.yaml": yaml.safe_dump({"mode": "MULTIRUN", "overrides": {
                   "task": ["a=0,1"], "hydra": []}})}
    claim(tmp_path, records, ["-m", "a=0,1"], resume=False)
    for number in range(2):
        leave(tmp_path / str(number), number, [f"a={number}"])
        gate.save_verdicts([gate.Verdict("x", gate.Outcome.PASSED, "1", "2")],
                           tmp_path / str(number))
    conclude(load_sweep(tmp_path))
    return tmp_path


def mutate(content: bytes, chance: random.Random) -> bytes:
    """One damage: bits, a hole, a cut, a piece put elsewhere, a value exchanged."""
    start = chance.randrange(len(content))
    piece = content[start:start + chance.randint(1, 40)]
    values = [b"null", b"-1", b"1e999", b"[]", b"{}", b'""', b"true", b'"."', b"9" * 400, b"NaN"]
    return chance.choice([
        lambda: content[:start] + bytes([content[start] ^ 1 << chance.randrange(8)])
        + content[start + 1:],
        lambda: content[:start] + content[start + len(piece):],
        lambda: content[:start],
        lambda: content[:start] + piece * chance.randint(2, 2000) + content[start:],
        lambda: content[:start] + chance.choice(values) + content[start + len(piece):],
        lambda: chance.randbytes(chance.randint(0, 200)),
    ])()


def all_readers(sweep: Path) -> list[Callable[[], object]]:
    """Everything that reads a record of a sweep or a run."""
    run, other = sweep / "0", sweep / "1"
    return [
        lambda: [collect(sweep), load_sweep(sweep).settings, load_sweep(sweep).verdicts],
        lambda: conclude(load_sweep(sweep)), lambda: load_plan(sweep),
        lambda: gate.require_manifest(sweep), lambda: outcome.load(run),
        lambda: gate.load_verdicts(run), lambda: compare_runs(run, other),
        lambda: whole_command_line([f"sweep.resume={sweep}"]), lambda: as_begun(sweep, ["a=0"]),
        lambda: require_same(sweep, {"config.yaml": "a: 1"}, ["a=0,1"]),
    ]


def test_no_mutation_of_a_record_gives_a_traceback(
    swept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)
    files = [path for path in sorted(swept.rglob("*")) if path.is_file() and (
        path.suffix in (".json", ".yaml"))]
    kept = {path: path.read_bytes() for path in files}
    for _ in range(MUTATIONS):
        path = chance.choice(files)
        path.write_bytes(mutate(kept[path], chance))
        for read in chance.sample(all_readers(swept), 4):
            with suppress(PipelineError):
                read()
        for one, content in kept.items():   # conclude writes some anew
            one.write_bytes(content)
    capsys.readouterr()


def test_a_damaged_outcome_is_a_run_that_did_not_end(
    swept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (swept / "0" / "outcome.json").write_text("{")
    first, second = collect(swept)
    assert first.has_begun_only
    assert not first.outcome.is_finished
    assert second.outcome.ending.exit_code is ExitCode.PASSED
    assert "taken for a run that did not end" in caplog.text


@pytest.mark.parametrize("name", ["metrics.json", "gate.json"])
def test_damage_in_one_run_leaves_the_others_ranked(
    name: str, swept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (swept / "0" / name).write_text("{")
    sweep = load_sweep(swept)
    assert [len(setting.runs) for setting in sweep.settings if setting.is_ranked] == [1]
    assert conclude(sweep) is ExitCode.INTEGRITY
    assert f"0/{name}: is not JSON" in capsys.readouterr().out.replace("\n", "")


def test_a_run_in_the_directory_decides_of_no_file(swept: Path) -> None:
    """One that somebody has put there: its gates may judge, and accept nothing, append nowhere."""
    planted = {"accept": True, "variables": "ours.txt", "trend": "ours.jsonl",
               "metrics": {"m": {"at_least": 0.5}}}
    (swept / "0" / ".hydra").mkdir(exist_ok=True)
    (swept / "0" / ".hydra" / "config.yaml").write_text(yaml.safe_dump({"gate": planted}))
    found = load_sweep(swept).gates
    assert (found.accept, found.trend, found.metrics["m"].at_least) == (False, None, 0.5)
    own = GateConfig()
    assert load_sweep(swept, own, SweepConfig()).gates is own
