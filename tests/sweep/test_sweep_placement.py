"""Where workers compute: settled through the environment, before JAX is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sweep import placement


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION"):
        monkeypatch.setenv(name, "")     # so that it is restored
        monkeypatch.delenv(name)
    monkeypatch.setattr(placement, "_visible", {})


@pytest.mark.parametrize(
    ("given", "devices"),
    [("0,1", ["0", "1"]), ("GPU-a,GPU-b,GPU-c", ["GPU-a", "GPU-b", "GPU-c"]), ("-1", []), ("", [])],
)
def test_devices_are_those_that_may_be_seen(given: str, devices: list[str]) -> None:
    assert placement.visible_devices({"CUDA_VISIBLE_DEVICES": given}) == devices


def test_devices_are_counted_where_nobody_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(placement, "_DEVICES", tmp_path)
    assert placement.visible_devices({}) == ["0", "1"]
    monkeypatch.setattr(placement, "_DEVICES", tmp_path / "none")
    assert placement.visible_devices({}) == []


def test_workers_take_turns_and_keep_their_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    taken = []
    for _ in range(5):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
        monkeypatch.setattr(placement, "_visible", {})     # another process
        placement.place_worker(tmp_path, None)
        placement.place_worker(tmp_path, None)             # its next job
        taken.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert taken == ["3", "5", "3", "5", "3"]


def test_no_worker_takes_most_of_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    placement.place_worker(tmp_path, None)
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in os.environ
    placement.place_worker(tmp_path, 0.25)
    assert os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.25"
