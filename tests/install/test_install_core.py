"""What `pip install jaxfrost` gives: checkpoints, with three packages beside it."""

from __future__ import annotations

from install_environments import Environment

PROGRAM = """
import sys
import numpy as np
import jaxfrost

jaxfrost.write_bundle("model", {"layer1/weights": np.ones((2, 3), np.float32)})
saver = jaxfrost.Saver({"step": np.int64(4)})
print(jaxfrost.CheckpointReader("model").get_variable_to_shape_map())
print(jaxfrost.load_variable("model", "layer1/weights").sum())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"jax", "yaml", "google"}))
"""


def test_checkpoints_are_written_read_and_listed(core: Environment) -> None:
    told = core.run("python", "-c", PROGRAM).stdout.splitlines()
    assert told == ["{'layer1/weights': [2, 3]}", "6.0", "[]"]
    for options in ([], ["inspect.stats=true"], ["inspect.verify=true"], ["inspect.json=true"]):
        listed = core.run("jaxfrost", "task=inspect", "path=model", *options).stdout
        assert "layer1/weights" in listed


def test_what_is_missing_is_one_line_that_says_what_to_install(core: Environment) -> None:
    told = core.run("jaxfrost", code=1)
    assert told.stderr == ("error: this command needs hydra, which is not installed; "
                           "pip install 'jaxfrost[train]'\n")
    (core.here / "graph.pb").write_bytes(b"\x0a\x0b\x0a\x01x\x12\x04NoOp")
    told = core.run("jaxfrost", "task=inspect", "path=graph.pb", code=1)
    assert told.stderr.count("\n") == 1
    assert "pip install 'jaxfrost[jax]'" in told.stderr
    told = core.run("python", "-c", "import jaxfrost; jaxfrost.freeze", code=1)
    assert told.stderr.rstrip().endswith(
        "jaxfrost.freeze needs jax, which is not installed; pip install 'jaxfrost[jax]'")
