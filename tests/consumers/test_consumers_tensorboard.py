"""TensorBoard's server, without TensorFlow, draws every graph.

    tensorboard --logdir tensorboard, then GET /data/plugin/graphs/graph?run=.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from exported import MODELS, frozen
from exports import HERE, RUN, Exports
from finished_run import finished_run
from google.protobuf import text_format
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.graph import load_graph
from pipeline.report.events import write_events

SECONDS = 120     # of patience with a loaded machine; it takes three


@pytest.fixture(scope="module")
def address(exports: Exports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server that looks at a run of the pipeline, and at a graph of each model."""
    base = tmp_path_factory.mktemp("tensorboard")
    shutil.copytree(exports.run_directory / "tensorboard", base / "logs" / RUN)
    for name in MODELS:
        write_events(finished_run(graph_def=frozen(name)), base / "logs" / name)
    command = [sys.executable, str(HERE / "tensorboard_without_tensorflow.py"), "--logdir",
               str(base / "logs"), "--port", "0", "--load_fast", "false", "--reload_interval", "0",
               "--reload_task", "blocking"]
    with (base / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield address_in(base / "log", server)
    finally:
        server.terminate()
        server.wait(30)


def address_in(log: Path, server: subprocess.Popen[bytes]) -> str:
    """What the server says it listens to, once all is read."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"at (http://\S+:\d+)/", log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def described(graph: Any) -> list[tuple[str, ...]]:
    return [(node.name, node.op, *node.input) for node in graph.node]


@pytest.mark.parametrize("name", [*MODELS, RUN])
def test_tensorboard_draws(address: str, exports: Exports, name: str) -> None:
    with urlopen(f"{address}/data/plugin/graphs/graph?run={name}", timeout=SECONDS) as answer:
        drawn = text_format.Parse(answer.read().decode(), GraphDef())
    wanted = frozen(name) if name in MODELS else load_graph(exports.path(RUN, "frozen_graph"))
    assert described(drawn) == described(wanted)
