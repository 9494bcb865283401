"""Launchers and sweepers that are extras: jobs in other processes, and a search that prunes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import optuna
import pytest
import spy_of_jobs
from command_line_of_sweeps import TINY, run, running, wait_until
from configured import CONF
from hydra import compose, initialize_config_dir

from pipeline.config import ConfigError
from pipeline.start import _require_joint
from pipeline.tasks import evaluate, train

JOBLIB = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
SPY = "+hydra.callbacks.spy._target_=spy_of_jobs.Spy"
SPYING = os.pathsep.join([str(Path(spy_of_jobs.__file__).parent), os.environ.get("PYTHONPATH", "")])


def codes(sweep: Path) -> dict[int, int]:
    """Exit code by job."""
    found = json.loads((sweep / "sweep.json").read_text())
    return {run["number"]: run["exit_code"] for one in found["settings"] for run in one["runs"]}


def seen(sweep: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(sweep.glob(f"*/{spy_of_jobs.SEEN}"))]


def study_in(sweep: Path) -> optuna.Study:
    backend = optuna.storages.journal.JournalFileBackend(str(sweep / "optuna.journal"))
    return optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend))


def test_jobs_in_other_processes_lose_nothing(tmp_path: Path) -> None:
    finished = run(
        tmp_path, *JOBLIB, *TINY, "seed=0,1", "trainer.batch_size=100,9999", SPY,
        "+gate.metrics.test_accuracy.at_least=1.01", "hydra.sweep.dir=parallel",
        CUDA_VISIBLE_DEVICES="3,5", PYTHONPATH=SPYING,
    )
    assert finished.code == 1, finished.err
    assert "4 runs, 2 failed" in finished.out
    sweep = tmp_path / "parallel"
    assert codes(sweep) == {0: 3, 1: 1, 2: 3, 3: 1}, "gates and errors came from their processes"
    assert "9999" in (sweep / "1" / "traceback.txt").read_text()
    device_of = {one["process"]: one["CUDA_VISIBLE_DEVICES"] for one in seen(sweep)}
    assert len(seen(sweep)) == 4
    assert sorted(device_of.values()) == ["3", "5"][:len(device_of)], "workers take turns"
    assert {one["XLA_PYTHON_CLIENT_PREALLOCATE"] for one in seen(sweep)} == {"false"}


def test_submitit_runs_jobs_as_processes_of_their_own(tmp_path: Path) -> None:
    finished = run(
        tmp_path, "-m", "hydra/launcher=submitit_local", "hydra.launcher.gpus_per_node=2", *TINY,
        "trainer.batch_size=100,9999", "sweep.gpu_memory=0.4", SPY, "hydra.sweep.dir=submitted",
        PYTHONPATH=SPYING,
    )
    assert finished.code == 1, finished.err
    sweep = tmp_path / "submitted"
    assert codes(sweep) == {0: 0, 1: 1}
    assert "9999" in (sweep / "1" / "traceback.txt").read_text()
    assert len({one["process"] for one in seen(sweep)}) == 2
    assert {one["CUDA_VISIBLE_DEVICES"] for one in seen(sweep)} == {"0", "1"}
    assert {one["XLA_PYTHON_CLIENT_MEM_FRACTION"] for one in seen(sweep)} == {"0.4"}


def test_a_failure_lets_no_further_job_begin_when_asked(tmp_path: Path) -> None:
    stopped = run(tmp_path, *JOBLIB, *TINY, "trainer.batch_size=9999,100", "seed=0,1",
                  "sweep.on_failure=stop", "hydra.sweep.dir=at-failure")
    assert stopped.code == 1
    ended = codes(tmp_path / "at-failure")
    assert ended[0] == 1
    assert not {2, 3} & set(ended), "each worker has failed before it comes to one of these"
    assert not (tmp_path / "at-failure" / "3").exists()
    assert "Traceback" not in stopped.err


def test_workers_save_what_they_have_when_the_sweep_is_stopped(tmp_path: Path) -> None:
    words = [*JOBLIB, "model=softmax", "trainer.epochs=2000", "persistence=none", "seed=0,1,2",
             "hydra.sweep.dir=stopped"]
    sweep = tmp_path / "stopped"
    with running(tmp_path, *words) as process:
        wait_until(lambda: any("step" in log.read_text() for log in sweep.glob("*/run.log")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 75, (tmp_path / "said").read_text()
    for job in codes(sweep):
        assert json.loads((sweep / str(job) / "outcome.json").read_text())["exit_code"] == 75
        [step] = (sweep / str(job) / "orbax").iterdir()
        assert step.name.isdecimal()
    assert not (sweep / "2").exists()
    assert "Traceback" not in (tmp_path / "said").read_text()


def test_a_search_prunes_what_has_no_promise_and_can_be_resumed(tmp_path: Path) -> None:
    words = ["-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=7",
             "optimizer.learning_rate=tag(log,interval(1e-6,1e-1))", "optimizer=adam,sgd",
             "model=softmax", "trainer.epochs=4", "persistence=none", "hydra.sweep.dir=searched",
             "seed=2"]   # draws a rate of 1e-5 for trial 5, the first that the median can prune
    stopped = run(tmp_path, *words, SIGNAL="SIGTERM:26:3")
    assert stopped.code == 75, stopped.err
    resumed = run(tmp_path, "sweep.resume=searched")
    assert resumed.code == 0, resumed.err
    trials = study_in(tmp_path / "searched").trials
    assert len(trials) == 7
    assert {trial.state.name for trial in trials} == {"COMPLETE", "PRUNED"}
    for trial in trials:
        made = json.loads((tmp_path / "searched" / str(trial.number) / "metrics.json").read_text())
        assert (made["stopped"] == "pruned") == (trial.state.name == "PRUNED")
        reported = [one["validation_accuracy"] for one in made["history"]]
        assert list(trial.intermediate_values.values()) == reported
        if trial.state.name == "COMPLETE":
            assert trial.value == made["validation_accuracy"]
    assert "(pruned)" in (tmp_path / "searched" / "sweep.html").read_text()


def test_seeds_never_clash_with_a_search(tmp_path: Path) -> None:
    finished = run(
        tmp_path, "-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", *TINY, "seeds=2",
        "optimizer.learning_rate=interval(0.001,0.1)", "hydra.sweep.dir=searched",
    )
    assert finished.code == 0, finished.err
    for trial in study_in(tmp_path / "searched").trials:
        values = [json.loads(path.read_text())["validation_accuracy"]
                  for path in (tmp_path / "searched" / str(trial.number)).glob("*/metrics.json")]
        assert len(values) == 2
        assert trial.value == pytest.approx(sum(values) / 2)
    assert "4 runs, 0 failed" in finished.out


def test_without_optuna_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "optuna.py").write_text("raise ImportError('hidden')\n")
    finished = run(tmp_path, "-m", "hydra/sweeper=optuna", *TINY,
                   "optimizer.learning_rate=interval(0.001,0.1)", PYTHONPATH=str(tmp_path))
    assert finished.code == 1
    assert "pip install 'jaxfrost[optuna]'" in finished.err
    assert "Traceback" not in finished.err


@pytest.mark.parametrize(("choice", "part"), [
    ("hydra/launcher=joblib", "launcher"), ("hydra/sweeper=optuna", "sweeper")])
def test_joint_training_refuses_what_scatters_the_jobs(choice: str, part: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        made = compose("config", overrides=[choice], return_hydra_config=True)
    with pytest.raises(ConfigError, match=rf"sweep.strategy=vmap: .*found hydra.{part}="):
        _require_joint(made.hydra, "train", train)


def test_what_trains_nothing_is_not_trained_together() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        made = compose("config", return_hydra_config=True)
    with pytest.raises(ConfigError, match="and task=evaluate trains none"):
        _require_joint(made.hydra, "evaluate", evaluate)
