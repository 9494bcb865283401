"""Saving and loading checkpoints, beside TensorFlow, orbax, np.save and dd; prints ratios.

    python benchmarks/checkpoint.py [--gigabytes 1] [--tensors 20] [--rounds 7] [--directory DIR]
    python benchmarks/checkpoint.py --scale          # up to 10 GB and 100,000 tensors, ours alone

Every round runs all rivals in a random order; the ratio is the median over rounds of rival / ours,
of the same round. `+ disk` waits until the bytes are on the disk; the others end in the page cache.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.checkpoint import CheckpointReader, Saver, write_bundle

Arrays = Mapping[str, np.ndarray]
Rivals = dict[str, Callable[[Path], Any]]


def synchronise(directory: Path) -> None:
    """Waits until what lies below a directory is on the disk."""
    for path in directory.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def savers(arrays: Arrays) -> Rivals:
    """Each writes all arrays into an empty directory, to the page cache."""
    import jax.numpy as jnp
    import orbax.checkpoint as ocp

    session, saver = tensorflow_session(arrays)
    on_device = {name: jnp.asarray(array) for name, array in arrays.items()}
    size = sum(array.nbytes for array in arrays.values())

    def raw(directory: Path) -> None:
        with open(directory / "raw", "wb", buffering=0) as file:
            for array in arrays.values():
                file.write(memoryview(array).cast("B"))

    def orbax(directory: Path) -> None:
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(directory / "step", on_device)

    def tensorflow(directory: Path) -> None:
        with session.graph.as_default():
            saver.save(session, str(directory / "m"), write_meta_graph=False)

    def np_save(directory: Path) -> None:
        for name, array in arrays.items():
            np.save(directory / name, array)

    def dd(directory: Path) -> None:
        subprocess.run(["dd", "if=/dev/zero", f"of={directory}/zeros", "bs=1M",
                        f"count={size >> 20}"], check=True, stderr=subprocess.DEVNULL)

    return {
        "ours": lambda directory: Saver(dict(arrays), durable=False).save(directory / "m"),
        "tf.train.Saver": tensorflow,
        "orbax": orbax,
        "np.save": np_save,
        "raw write": raw,
        "dd if=/dev/zero": dd,
    }


def loaders(arrays: Arrays, directory: Path) -> Rivals:
    """Each reads all arrays, whose files are in the page cache, and ours verifies them."""
    import jax
    import orbax.checkpoint as ocp

    session, saver = tensorflow_session(arrays)
    prefix = str(Saver(dict(arrays)).save(directory / "m"))
    for name, array in arrays.items():
        np.save(directory / name, array)
    checkpointer = ocp.StandardCheckpointer()
    checkpointer.save(directory / "step", dict(arrays))
    checkpointer.wait_until_finished()
    template = {name: jax.ShapeDtypeStruct(a.shape, a.dtype) for name, a in arrays.items()}

    def tensorflow(_: Path) -> None:
        with session.graph.as_default():
            saver.restore(session, prefix)

    return {
        "ours": lambda _: Saver(dict(arrays)).restore(prefix),
        "tf.train.Saver": tensorflow,
        "orbax": lambda _: checkpointer.restore(directory / "step", template),
        "np.load": lambda _: [np.load(directory / f"{name}.npy") for name in arrays],
        "dd of=/dev/null": lambda _: subprocess.run(
            ["dd", f"if={prefix}.data-00000-of-00001", "of=/dev/null", "bs=1M"], check=True,
            stderr=subprocess.DEVNULL),
    }


def tensorflow_session(arrays: Arrays) -> tuple[Any, Any]:
    """Variables that hold the arrays, and their Saver."""
    import tensorflow.compat.v1 as tf

    graph = tf.Graph()
    with graph.as_default():
        holders = {name: tf.placeholder(a.dtype, a.shape) for name, a in arrays.items()}
        variables = {name: tf.Variable(holder, name=name) for name, holder in holders.items()}
        session, saver = tf.Session(graph=graph), tf.train.Saver(max_to_keep=None)
        for name, array in arrays.items():
            session.run(variables[name].initializer, {holders[name]: array})
    return session, saver


def measure(rivals: Rivals, rounds: int, root: Path, *, durable: bool) -> dict[str, list[float]]:
    """Seconds of each rival in each round; each gets an empty directory."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name in random.sample(list(rivals), len(rivals)):
            directory = Path(tempfile.mkdtemp(dir=root))
            gc.collect()
            start = time.perf_counter()
            rivals[name](directory)
            if durable:
                synchronise(directory)
            seconds[name].append(time.perf_counter() - start)
            shutil.rmtree(directory)
    return seconds


def report(title: str, seconds: dict[str, list[float]], gigabytes: float = 0) -> None:
    """A line per rival: median, minimum, GB/s, and how many times longer than ours."""
    print(f"\n{title}\n{'':18}{'median s':>10}{'min s':>9}{'GB/s':>8}{'× ours':>9}")
    for name, times in seconds.items():
        ratio = statistics.median(
            theirs / ours for theirs, ours in zip(times, seconds["ours"], strict=True))
        middle = statistics.median(times)
        speed = f"{gigabytes / middle:8.2f}" if gigabytes else " " * 8
        print(f"{name:18}{middle:10.3f}{min(times):9.3f}{speed}{ratio:9.2f}")


FRESH = {
    "ours": "from pipeline.checkpoint import CheckpointReader as R; R({0!r}).get_tensor('v000')",
    "tensorflow": "import tensorflow as t; t.train.load_checkpoint({0!r}).get_tensor('v000')",
    "numpy alone": "import numpy",
}


def measure_fresh(rounds: int, root: Path) -> None:
    """A new process opens a checkpoint of 201 tensors and reads one scalar."""
    prefix = str(root / "fresh")
    write_bundle(prefix, {f"v{index:03d}": np.float32(index) for index in range(201)})
    seconds: dict[str, list[float]] = {name: [] for name in FRESH}
    memory: dict[str, int] = {}
    for _ in range(rounds):
        for name in random.sample(list(FRESH), len(FRESH)):
            start = time.perf_counter()
            child = subprocess.Popen([sys.executable, "-c", FRESH[name].format(prefix)],
                                     stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            seconds[name].append(time.perf_counter() - start)
            child.returncode = os.waitstatus_to_exitcode(status)
            assert child.returncode == 0, name
            memory[name] = usage.ru_maxrss
    report("fresh process, one scalar of 201 tensors", seconds)
    print(", ".join(f"{name} {peak / 1024:.0f} MB" for name, peak in memory.items()),
          f"(× ours: {memory['tensorflow'] / memory['ours']:.1f})")


class Generated:
    """An array that exists only while it is being saved."""

    dtype = np.dtype(np.float32)

    def __init__(self, size: int) -> None:
        self.shape = (size,)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.ones(self.shape, np.float32)


def measure_scale(root: Path) -> None:
    """Processor seconds, wall seconds and memory, by bytes and by count of tensors.

    Reading maps its files, so its memory is the page cache's; the peak is that of saving.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * page >> 20  # noqa: E731
    print(f"{'':15}{'processor s':>27}{'wall s':>27}\n{'GB':>6}{'tensors':>9}"
          + f"{'save':>9}{'open':>9}{'read':>9}" * 2 + f"{'peak MB':>9}")
    for gigabytes, count in ((1, 100), (3, 300), (10, 1000), (0.01, 1000), (0.1, 10_000),
                             (1, 100_000)):
        Path("/proc/self/clear_refs").write_text("5")
        before = resident()
        values = {f"v{i:06d}": Generated(int(gigabytes * 1e9 / count / 4)) for i in range(count)}
        clocks = lambda: np.array([time.process_time(), time.perf_counter()])  # noqa: E731
        start = clocks()
        write_bundle(root / "scale", values, durable=False)
        saved = clocks()
        status = Path("/proc/self/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) >> 10
        reader = CheckpointReader(root / "scale")
        opened = clocks()
        reader.verify()
        read = clocks()
        steps = np.stack([saved - start, opened - saved, read - opened], axis=1)
        print(f"{gigabytes:6}{count:9}" + "".join(f"{step:9.2f}" for step in steps.ravel())
              + f"{peak - before:9}", flush=True)
        del reader  # unmaps its files outside of the next row's times


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--tensors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--directory", type=Path, default=None)
    parser.add_argument("--scale", action="store_true")
    options = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        root = Path(directory)
        if options.scale:
            measure_scale(root)
            return
        measure_fresh(options.rounds, root)
        size = int(options.gigabytes * 1e9 / options.tensors / 4)
        arrays = {f"v{i:02d}": np.random.default_rng(i).random(size, np.float32)
                  for i in range(options.tensors)}
        rivals = savers(arrays)
        for title, durable in (("save", False), ("save + disk", True)):
            report(title, measure(rivals, options.rounds, root, durable=durable),
                   options.gigabytes)
        (root / "load").mkdir()
        report("load", measure(loaders(arrays, root / "load"), options.rounds, root,
                               durable=False), options.gigabytes)


if __name__ == "__main__":
    main()
