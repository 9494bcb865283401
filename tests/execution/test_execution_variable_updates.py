"""Every op that changes variables, once in a session and once here."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from execution_judge import relative_error
from variable_updates import FLAGS, UPDATES, Update, build, is_resource

from pipeline import execution

USES = [(op, {}) for op in sorted(UPDATES)] + [
    (op, {flag: True} if flag == "use_nesterov" else {flag: False})
    for flag, kinds in FLAGS.items() for op in sorted(UPDATES)
    if op.removeprefix("Resource") in kinds]


def run_in_session(tf1: ModuleType, update: Update, name: str) -> dict[str, np.ndarray]:
    """The variables after one update."""
    with tf1.Graph().as_default() as graph, tf1.Session(graph=graph) as session:
        tf1.import_graph_def(
            tf1.GraphDef.FromString(update.graph_def.SerializeToString()), name="")
        for key, value in update.values.items():
            session.run(graph.get_operation_by_name(f"{key}/assign"), {f"{key}/value:0": value})
        session.run(graph.get_operation_by_name(name))
        return {key: session.run(f"{key}/read:0") for key in update.values}


@pytest.mark.parametrize(("op", "attrs"), USES, ids=str)
def test_variables_become_what_tensorflow_makes_them(
    tf: ModuleType, op: str, attrs: dict[str, Any]
) -> None:
    update = build(op, len(op), attrs)
    expected = run_in_session(tf.compat.v1, update, "update")
    imported = execution.import_graph_def(update.graph_def, name="")
    for key, value in update.values.items():
        imported.run(f"{key}/assign", {f"{key}/value:0": value})
    imported.run("update" if is_resource(op) else "update:0")
    for key, value in expected.items():
        assert relative_error(imported.values[key], value) <= 1e-5, key
        assert relative_error(imported.run(f"{key}/read:0"), value) <= 1e-5, key
    assert any((expected[key] != before).any() for key, before in update.values.items())
