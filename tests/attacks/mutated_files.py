"""`mutated_files.py DIRECTORY CASES`: damages files of every kind and reads them, in one process.

Whatever is read of a damaged file is right or refused by a `PipelineError`. Reading writes nothing:
the directory is compared before and after.
"""

from __future__ import annotations

import gzip
import json
import logging
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from PIL import Image
from step_mutations import mutate
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

from pipeline import checkpoint, graph
from pipeline.checkpoint.description import describe
from pipeline.checkpoint.step_record import write_checksums
from pipeline.data.idx import read_images
from pipeline.data.pictures import read_picture
from pipeline.errors import PipelineError
from pipeline.inspection.arrays import describe_arrays
from pipeline.inspection.graphs import describe_graphs

IMAGES = np.random.default_rng(0).integers(0, 255, (3, 28, 28), np.uint8)
HEADER = bytes.fromhex("00000803 00000003 0000001c 0000001c")


def graph_def() -> GraphDef:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    return GraphDef(node=[
        graph.build_node("Const", "c", attrs={"value": array, "dtype": array.dtype}),
        graph.build_node("Neg", "y", [("c", 1)])])


def orbax(home: Path, *, ours: bool) -> None:
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(home / "8" / "arrays", {"w": jnp.arange(40.0), "n": jnp.int32(3)})
    if ours:
        write_checksums(home / "8")


def picture(home: Path, kind: str) -> None:
    Image.fromarray(IMAGES[0]).save(home / f"p.{kind}")


def look_at_step(home: Path) -> None:
    describe(home / "8", verify=True)
    describe_arrays(str(home / "8" / "arrays"), verify=True, statistics=True)


def read_checkpoint(home: Path) -> None:
    describe(home / "m", verify=True, statistics=True)
    checkpoint.CheckpointReader(home / "m").verify()


# kind: how the file is made, how it is read
KINDS: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "idx": (lambda home: (home / "i").write_bytes(HEADER + IMAGES.tobytes()),
            lambda home: read_images(home / "i")),
    "gzip": (lambda home: (home / "i.gz").write_bytes(gzip.compress(HEADER + IMAGES.tobytes())),
             lambda home: read_images(home / "i.gz")),
    "graph": (lambda home: graph.save_graph(graph_def(), home / "g.pb"),
              lambda home: describe_graphs(str(home / "g.pb"), 1)),
    "text graph": (lambda home: graph.save_graph(graph_def(), home / "g.pbtxt", as_text=True),
                   lambda home: graph.load_graph(home / "g.pbtxt")),
    "meta": (lambda home: graph.save_meta_graph(MetaGraphDef(graph_def=graph_def()),
                                                home / "g.meta"),
             lambda home: graph.load_meta_graph(home / "g.meta")),
    "checkpoint": (lambda home: checkpoint.write_bundle(
        home / "m", {"w": np.arange(40.0), "names": np.array([b"a", b"bc"], object)}),
        read_checkpoint),
    "orbax": (lambda home: orbax(home, ours=True), look_at_step),
    "foreign orbax": (lambda home: orbax(home, ours=False), look_at_step),
    **{kind: (lambda home, kind=kind: picture(home, kind),
              lambda home, kind=kind: read_picture(home / f"p.{kind}"))
       for kind in ("png", "jpeg", "gif", "bmp", "webp", "tiff")},
}


def content(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes()
            for path in home.rglob("*") if path.is_file()}


def main(directory: Path, cases: int) -> Counter[str]:
    done: Counter[str] = Counter()
    names = list(KINDS)
    for number, name in enumerate(names):
        whole = directory / f"whole-{number}"
        whole.mkdir()
        make, read = KINDS[name]
        make(whole)
        read(whole)
    for seed in range(cases):
        name = names[seed % len(names)]
        home = directory / "mutated"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(directory / f"whole-{names.index(name)}", home)
        words, before = mutate(home, Random(seed)), content(home)
        try:
            KINDS[name][1](home)
        except PipelineError:
            pass
        except BaseException:
            print(f"seed {seed}: {name}: {words}")
            raise
        assert content(home) == before, f"seed {seed}: {name}: something was written"
        done[name] += 1
    return done


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    print(json.dumps({"kinds": main(Path(sys.argv[1]), int(sys.argv[2]))}))
