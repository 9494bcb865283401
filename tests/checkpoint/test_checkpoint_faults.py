"""A fault at every system call of a save: nothing that was saved is lost, `checkpoint` never lies.

Two kinds of fault: the process is killed there (no later call has any effect), or the call fails
and the program goes on to clean up and to report.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pipeline.checkpoint import (
    CheckpointError,
    CheckpointReader,
    PermissionDeniedError,
    ResourceExhaustedError,
    Saver,
    files,
    get_checkpoint_state,
    latest_checkpoint,
    write_bundle,
)

CALLS = ("open", "pwrite", "fsync", "replace", "link", "unlink", "mkdir")


class Killed(BaseException):
    """The process is gone."""


class Kernel:
    """Counts the calls of a save; from number `fault` on, the process is dead or calls fail."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.fault, self.when, self.error = -1, "before", 0
        self.count = 0
        self.opened: list[int] = []
        self.close = os.close
        patch.setattr(os, "fsync", lambda _: None)  # a kill loses nothing that was written
        patch.setattr(os, "close", self._closing)
        for name in CALLS:
            patch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & (os.O_CREAT | os.O_WRONLY):
                found = call(*arguments, **options)
                if stat.S_ISDIR(os.fstat(found).st_mode):   # to lock it; files close themselves
                    self.opened.append(found)
                return found
            number, self.count = self.count, self.count + 1
            if self.fault < 0 or number < self.fault:
                found = call(*arguments, **options)
                if name == "open":
                    self.opened.append(found)
                return found
            if number == self.fault and self.error:
                raise OSError(self.error, os.strerror(self.error))
            if self.error:
                return call(*arguments, **options)
            if number == self.fault and self.when == "after":
                if name == "pwrite":  # half of it arrived
                    arguments = (arguments[0], arguments[1][: len(arguments[1]) // 2], arguments[2])
                call(*arguments, **options)
            raise Killed

        return wrapper

    def _closing(self, descriptor: int) -> None:
        if descriptor in self.opened:   # the number may soon be a file of another thread's
            self.opened.remove(descriptor)
        self.close(descriptor)

    def die(self) -> None:
        """The system closes what the process had open, and with it drops its locks."""
        while self.opened:
            self.close(self.opened.pop())
        self.fault, self.count = -1, 0


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        yield Kernel(patch)


def values(version: int) -> dict[str, Any]:
    """Tensors that all tell their version, in several writes."""
    return {"version": np.int64(version), "large": np.full((9 << 17) // 8, version, np.int64),
            "more": np.full(3, version, np.float32), "name": np.array([b"%d" % version], object)}


def same_name(directory: Path, version: int) -> None:
    saver = Saver(values(version), meta_graph=b"%d" % version)
    saver.save(directory / "m")


def steps(directory: Path, version: int) -> None:
    Saver(values(version), max_to_keep=2, meta_graph=b"g").save(directory / "m",
                                                               global_step=version)


def resharded(directory: Path, version: int) -> None:
    tensors = values(version)
    shards = {name: index % (1 + version % 3) for index, name in enumerate(tensors)}
    write_bundle(directory / "m", tensors, shards=shards)


def in_a_new_directory(directory: Path, version: int) -> None:
    Saver(values(version)).save(directory / f"run{version}" / "m")


SCENARIOS = {save.__name__: save for save in (same_name, steps, resharded, in_a_new_directory)}


def check(directory: Path, judge: ModuleType, versions: tuple[int, ...]) -> None:
    """Everything that looks like a checkpoint is one, whole, and of one version."""
    found = sorted(path for path in directory.rglob("*.index"))
    for path in found:
        prefix = str(path).removesuffix(".index")
        reader = CheckpointReader(prefix)
        version = int(reader["version"])
        assert version in versions
        assert (reader["large"] == version).all()
        assert (reader["more"] == version).all()
        assert reader["name"].item() == b"%d" % version
        theirs = judge.train.load_checkpoint(prefix)
        assert theirs.get_tensor("more").tolist() == [version] * 3
        assert theirs.get_tensor("version") == version
    for state in directory.rglob("checkpoint"):
        read = get_checkpoint_state(state.parent)
        assert read is not None
        assert latest_checkpoint(state.parent) == read.model_checkpoint_path
        assert {Path(f"{prefix}.index") for prefix in read.all_model_checkpoint_paths} <= set(found)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_every_call(
    tmp_path: Path, tf: ModuleType, kernel: Kernel, scenario: str, when: str
) -> None:
    save = SCENARIOS[scenario]
    kernel.when = when
    survived = False
    fault = 0
    while not survived:
        directory = tmp_path / str(fault)
        directory.mkdir()
        for version in (1, 2, 3):
            save(directory, version)
        kernel.die()
        kernel.fault = fault
        try:
            save(directory, 4)
            survived = True
        except Killed:
            pass
        kernel.die()
        check(directory, tf, (1, 2, 3, 4))
        assert len(list(directory.rglob("*.index"))) >= 1
        save(directory, 5)
        kernel.die()
        check(directory, tf, (1, 2, 3, 4, 5))
        assert not [path for path in directory.glob("*") if ".tempstate" in path.name]
        fault += 1
    assert fault > 10


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_error_at_every_call(
    tmp_path: Path, tf: ModuleType, kernel: Kernel, scenario: str, number: int
) -> None:
    save = SCENARIOS[scenario]
    kernel.error = number
    expected = {errno.ENOSPC: ResourceExhaustedError, errno.EACCES: PermissionDeniedError,
                errno.EIO: CheckpointError}[number]
    failed, fault = 0, 0
    while fault < 60:
        directory = tmp_path / str(fault)
        directory.mkdir()
        for version in (1, 2, 3):
            save(directory, version)
        kernel.die()
        kernel.fault = fault
        raised = attempt(save, directory)
        if raised is not None:
            failed += 1
            assert isinstance(raised, expected)
            assert str(directory) in str(raised)
        if kernel.count <= fault:
            break
        kernel.die()
        check(directory, tf, (1, 2, 3, 4))
        left = [path for path in directory.glob("*") if ".tempstate" in path.name]
        assert len(left) <= 1  # the one whose removal failed
        save(directory, 5)
        kernel.die()
        check(directory, tf, (1, 2, 3, 4, 5))
        assert not [path for path in directory.glob("*") if ".tempstate" in path.name]
        fault += 1
    assert failed > 8


def attempt(save: Callable[[Path, int], None], directory: Path) -> CheckpointError | None:
    try:
        save(directory, 4)
    except CheckpointError as error:
        return error
    return None


def test_without_hard_links_a_bundle_is_still_replaced_at_once(
    tmp_path: Path, tf: ModuleType, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    survived, fault = False, 0
    while not survived:
        directory = tmp_path / str(fault)
        directory.mkdir()
        same_name(directory, 1)
        kernel.die()
        kernel.fault = fault
        try:
            same_name(directory, 2)
            survived = True
        except Killed:
            pass
        kernel.die()
        check(directory, tf, (1, 2))
        fault += 1


def test_without_locks_saving_works_and_nothing_is_taken_for_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", no_locks)
    (tmp_path / "m.index.tempstate0").write_bytes(b"another writer's")
    same_name(tmp_path, 1)
    assert CheckpointReader(tmp_path / "m")["version"] == 1
    assert (tmp_path / "m.index.tempstate0").exists()


def test_a_live_writers_files_are_not_taken_for_abandoned(tmp_path: Path) -> None:
    with files.Staging(str(tmp_path / "m"), durable=False) as staging:
        staging.write(str(tmp_path / "m.index"), b"half")
        files.remove_abandoned(str(tmp_path))
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())
    (tmp_path / "m.index.tempstate0").write_bytes(b"a dead writer's")
    files.remove_abandoned(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_writer_that_stays_too_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.checkpoint import AbortedError

    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.05)
    with (files.locked(str(tmp_path)),
          pytest.raises(AbortedError, match="another process has been saving"),
          files.locked(str(tmp_path))):
        pass


def test_directories_that_cannot_be_written(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/self")  # root may write anywhere else
        with pytest.raises(CheckpointError, match="cannot"):
            Saver(values(1)).save(target / "m")
        return
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionDeniedError, match=r"cannot write .*Permission denied"):
        Saver(values(1)).save(tmp_path / "m")


def test_a_full_disk(tmp_path: Path) -> None:
    """/dev/full refuses every write as a full disk does."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with (pytest.raises(ResourceExhaustedError, match="cannot write x: No space left"),
              files.translated("cannot write x")):
            os.write(descriptor, b"x")
    finally:
        os.close(descriptor)
