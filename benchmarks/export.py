"""From the start of a process to a frozen graph on disk: ours against jax2tf and freezing.

    python benchmarks/export.py [--rounds 9] [--equations 500 5000 50000]

Both export the same 784-500-10 network with any batch size from the same weights, each in fresh
processes that take turns in random order, in one environment that has JAX and TensorFlow. Prints
medians, and the median of the ratios of the two processes of a round: wall and CPU seconds and the
largest memory of the whole process; CPU seconds of an export in a process that has JAX and the
weights already, with the imports that it needs and without. The last includes JAX's own tracing,
the same for both, which is printed too. What jax2tf writes is one opaque XlaCallModule; what we
write is 12 nodes. Then: CPU seconds that each equation of a long function takes us.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


def weights() -> dict[str, Any]:
    """The network's variables, the same in every process."""
    drawn = np.random.default_rng(0)
    shapes = {"layer1/weights": (784, 500), "layer1/biases": (500,),
              "layer2/weights": (500, 10), "layer2/biases": (10,)}
    return {name: drawn.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()}


def network(variables: dict[str, Any], images: Any) -> Any:
    """Probabilities [batch, 10] of images [batch, 784]."""
    import jax

    with jax.named_scope("layer1"):
        hidden = jax.nn.relu(images @ variables["layer1/weights"] + variables["layer1/biases"])
    with jax.named_scope("layer2"):
        return jax.nn.softmax(hidden @ variables["layer2/weights"] + variables["layer2/biases"])


def export_ours(path: Path, variables: dict[str, Any]) -> float:
    """Writes the graph; returns the CPU seconds of the conversion."""
    import jax

    from pipeline import graph, lowering

    gc.collect()    # the imports' garbage is not the conversion's
    begun = time.process_time()
    frozen = lowering.freeze(network, variables, {
        "input": jax.ShapeDtypeStruct((None, 784), np.float32)}, outputs=["probabilities"])
    taken = time.process_time() - begun
    graph.save_graph(frozen, path)
    return taken


def export_jax2tf(path: Path, variables: dict[str, Any]) -> float:
    """The same by the only way that JAX itself has left."""
    import tensorflow as tf
    from jax.experimental import jax2tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    gc.collect()
    begun = time.process_time()
    converted = jax2tf.convert(lambda images: network(variables, images),
                               polymorphic_shapes=["b, 784"], with_gradient=False)
    function = tf.function(converted, autograph=False, input_signature=[
        tf.TensorSpec((None, 784), tf.float32, "input")])
    frozen = convert_variables_to_constants_v2(function.get_concrete_function())
    taken = time.process_time() - begun
    tf.io.write_graph(frozen.graph, str(path.parent), path.name, as_text=False)
    return taken


def only_trace(path: Path, variables: dict[str, Any]) -> float:
    """JAX's share of either; writes nothing of use."""
    import jax

    gc.collect()
    begun = time.process_time()
    batch, = jax.export.symbolic_shape("b")
    jax.make_jaxpr(network)(variables, jax.ShapeDtypeStruct((batch, 784), np.float32))
    taken = time.process_time() - begun
    path.touch()
    return taken


WAYS: dict[str, Callable[[Path, dict[str, Any]], float]] = {
    "ours": export_ours, "jax2tf": export_jax2tf, "tracing": only_trace}


def export(way: str, path: Path) -> None:
    """What one process does; the CPU seconds from JAX on, and of the conversion, go beside it."""
    import jax

    jax.devices()
    variables = weights()
    begun = time.process_time()
    conversion = WAYS[way](path, variables)
    path.with_suffix(".seconds").write_text(f"{time.process_time() - begun} {conversion}")


class Process(NamedTuple):
    """What one process took; `memory` in bytes, the last three in CPU seconds."""

    wall: float
    memory: float
    written: float
    cpu: float
    with_imports: float
    conversion: float


def measure(way: str, directory: Path) -> Process:
    """One export in a process of its own.

    Raises:
        SystemExit: it failed.
    """
    path, note = directory / f"{way}.pb", directory / f"{way}.seconds"
    begun = time.perf_counter()
    child = os.posix_spawn(sys.executable, [sys.executable, __file__, "--export", way, str(path)],
                           {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{way}: ended with {os.waitstatus_to_exitcode(status)}")
    return Process(wall, usage.ru_maxrss * 1024, path.stat().st_size,
                   usage.ru_utime + usage.ru_stime, *map(float, note.read_text().split()))


def compare(rounds: int) -> None:
    """Prints a row for each way, and the ratios."""
    found: dict[str, list[Process]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as directory:
        for way in WAYS:
            measure(way, Path(directory))    # fills the file cache
        for _ in range(rounds):
            for way in random.sample(list(WAYS), len(WAYS)):
                found[way].append(measure(way, Path(directory)))
    print(f"{'':8}{'wall s':>9}{'memory MB':>11}{'bytes':>11}{'CPU s':>9}{'from JAX on':>13}"
          f"{'conversion':>12}")
    for way, taken in found.items():
        wall, memory, written, *cpu = map(statistics.median, zip(*taken, strict=True))
        print(f"{way:8}{wall:9.2f}{memory / 1e6:11.0f}{written:11.0f}{cpu[0]:9.2f}{cpu[1]:13.3f}"
              f"{cpu[2]:12.3f}")
    for at, what in enumerate(Process._fields):
        ratio = statistics.median(theirs[at] / ours[at] for ours, theirs in
                                  zip(found["ours"], found["jax2tf"], strict=True))
        print(f"jax2tf / ours, {what}: {ratio:.1f}")


def scale(sizes: list[int]) -> None:
    """Prints CPU seconds for functions of these many equations, what JAX's tracing takes apart."""
    import jax
    import jax.numpy as jnp

    from pipeline import lowering

    inputs = {"x": jax.ShapeDtypeStruct((None, 8), np.float32)}
    variables = {"w": np.eye(8, dtype=np.float32), "b": np.ones(8, np.float32)}

    def deep(blocks: int) -> Callable[..., Any]:
        def function(variables: dict[str, Any], x: Any) -> Any:
            for _ in range(blocks):
                x = jax.nn.softmax(jnp.tanh(x @ variables["w"] + variables["b"]) * x + 1)
            return x
        return function

    def equations(blocks: int) -> int:
        batch, = jax.export.symbolic_shape("b")
        traced = jax.make_jaxpr(deep(blocks))(variables, jax.ShapeDtypeStruct((batch, 8),
                                                                             np.float32))
        return sum(len(getattr(each.params.get("jaxpr"), "eqns", [each])) for each in traced.eqns)

    each = equations(100) / 100
    lowering.freeze(deep(2), variables, inputs, outputs=["y"])
    print(f"\n{'equations':>9}{'nodes':>9}{'trace s':>9}{'all s':>9}{'ms an equation':>16}")
    for size in sizes:
        blocks = max(1, round(size / each))
        begun = time.process_time()
        count = equations(blocks)
        traced = time.process_time() - begun
        begun = time.process_time()
        frozen = lowering.freeze(deep(blocks), variables, inputs, outputs=["y"])
        taken = time.process_time() - begun
        print(f"{count:9}{len(frozen.node):9}{traced:9.2f}{taken:9.2f}{taken / count * 1e3:16.3f}")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--equations", type=int, nargs="*", default=[500, 5000, 50_000])
    parser.add_argument("--export", nargs=2, metavar=("WAY", "PATH"), help="one process of a round")
    given = parser.parse_args()
    if given.export:
        export(given.export[0], Path(given.export[1]))
        return
    if given.rounds:
        compare(given.rounds)
    scale(given.equations)


if __name__ == "__main__":
    main()
