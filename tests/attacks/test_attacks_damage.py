"""Files that say they are larger than they are, that are no files at all, or that were damaged."""

from __future__ import annotations

import gzip
import json
import os
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attack import Attack, carry_out
from configured import ROOT

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
       "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx_bomb(theirs: Path) -> None:
    """1.5 MB of gzip that unfold to 1.5 GB of images, and rightly say so."""
    with gzip.open(theirs / f"{IDX[0]}.gz", "wb", 9) as file:
        file.write(struct.pack(">4I", 0x803, 2_000_000, 28, 28))
        for _ in range(1568):
            file.write(bytes(1_000_000))
    for name in IDX[1:]:
        (theirs / name).write_bytes(b"")


def png_bomb(theirs: Path) -> None:
    """49 million black pixels of 16 bits, in 94 kB."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    header = struct.pack(">2I5B", 7000, 7000, 16, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + 2 * 7000) * 7000), 9)
    (theirs / "seven.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def zarr_boast(theirs: Path) -> None:
    """An orbax step whose one array has 2^40 values and no chunk: all are the fill value."""
    leaf = theirs / "8" / "w"
    leaf.mkdir(parents=True)
    (leaf / ".zarray").write_text(json.dumps({
        "zarr_format": 2, "shape": [2**40], "chunks": [2**20], "dtype": "<f4", "compressor": None,
        "fill_value": 1.0, "order": "C", "filters": None}))
    description = {"key_metadata": [{"key": "w"}], "value_metadata": {"write_shape": [2**40]}}
    (theirs / "8" / "_METADATA").write_text(
        json.dumps({"tree_metadata": {"w": description}, "use_zarr3": False}))


def deep_description(theirs: Path) -> None:
    (theirs / "8").mkdir()
    (theirs / "8" / "_METADATA").write_text("[" * 200_000)


def fifo(name: str) -> Callable[[Path], None]:
    def make(theirs: Path) -> None:
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(theirs / name)

    return make


def device(name: str) -> Callable[[Path], None]:
    return lambda theirs: (theirs / name).symlink_to("/dev/zero")


ATTACKS = [
    Attack("gzip bomb", idx_bomb, ("dataset=mnist", "dataset.directory={}", "persistence=none",
                                   "runtime.memory_budget=1GB"),
           r"2,000,000 images: would take 1\.6 GB"),
    Attack("deep description", deep_description, ("task=inspect", "path={}/8"),
           "no description of an orbax tree", code=4),
    Attack("fifo for a graph", fifo("g.pb"), ("task=inspect", "path={}/g.pb"), "it is a FIFO"),
    Attack("fifo for an index", fifo("m.index"), ("task=inspect", "path={}/m.index"),
           "it is a FIFO"),
    Attack("fifo in a step", fifo("8/_METADATA"), ("task=inspect", "path={}/8"), "it is a FIFO"),
    Attack("device to look at", device("zeros"), ("task=inspect", "path={}/zeros"),
           "it is a character device"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack(attack: Attack, tmp_path: Path) -> None:
    carry_out(attack, tmp_path)


def test_an_orbax_step_that_boasts(tmp_path: Path) -> None:
    """Its names and shapes are told, and why its values cannot be."""
    answer = carry_out(Attack("orbax boast", zarr_boast, (
        "task=inspect", "path={}/8", "inspect.verify=true"), code=4), tmp_path)
    assert "would take 4,398.0 GB of memory" in answer.out


PICTURE = """
import resource, sys
from pathlib import Path
from pipeline.data.pictures import read_picture
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_picture(Path(sys.argv[1]))
except ValueError as error:
    print(error)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 400_000, f"{grown} KiB"
"""


def test_a_picture_of_many_pixels_takes_little(tmp_path: Path) -> None:
    png_bomb(tmp_path)
    finished = subprocess.run(
        [sys.executable, "-c", PICTURE, str(tmp_path / "seven.png")], capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert finished.returncode == 0, finished.stderr
    assert "nothing is on it" in finished.stdout


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")   # for the limits of the child
def test_mutations_of_every_kind_of_file(tmp_path: Path) -> None:
    """`JAXFROST_CASES=20000` is the nightly form; no error but the named ones, nothing written."""
    cases = os.environ.get("JAXFROST_CASES", "600")
    program = Path(__file__).with_name("mutated_files.py")
    finished = subprocess.run(
        [sys.executable, str(program), str(tmp_path), cases], capture_output=True, text=True,
        check=False, preexec_fn=limited,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(
            [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "train")])})
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    told = json.loads(finished.stdout.splitlines()[-1])
    assert set(told["kinds"]) >= {"idx", "gzip", "png", "graph", "meta", "checkpoint", "orbax"}
    assert np.sum(list(told["kinds"].values())) == int(cases)
