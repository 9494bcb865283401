"""Views of graphs by scope, and where their boxes stand."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serve_run import served
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline.drawing.layout import GAP, lay_out
from pipeline.drawing.scopes import ScopedGraph, tensor_shapes
from pipeline.serve import Request, respond


def chain(*nodes: str) -> Any:
    """A graph from `name < input, input` texts; a name that ends in `weights` is a constant."""
    graph_def = GraphDef()
    for text in nodes:
        name, _, inputs = text.partition("<")
        op = "Const" if name.strip().endswith("weights") else "Relu"
        node = graph_def.node.add(name=name.strip(), op=op)
        node.input.extend(part.strip() for part in inputs.split(",") if part.strip())
    return graph_def


GRAPH = chain("input", "a/weights", "a/MatMul < input, a/weights", "a/b/Relu < a/MatMul",
              "logits/weights", "logits/Add < a/b/Relu, logits/weights, ^input",
              "logits < logits/Add:1")


def test_the_whole_graph_shows_its_outermost_scopes() -> None:
    view = ScopedGraph(GRAPH).look_into("")
    assert view is not None
    assert [(box.kind, box.name) for box in view.boxes.values()] == [
        ("operation", "input"), ("scope", "a"), ("scope", "logits"), ("operation", "logits")]
    assert {(a[1], b[1]): tensor for (a, b), tensor in view.wires.items()} == {
        ("input", "a"): "input:0", ("a", "logits"): "a/b/Relu:0",
        ("logits", "logits"): "logits/Add:1"}


def test_a_scope_shows_what_is_in_it_and_its_neighbours() -> None:
    view = ScopedGraph(GRAPH).look_into("a")
    assert view is not None
    inside = [box.name for box in view.boxes.values() if box.inside]
    outside = [box.name for box in view.boxes.values() if not box.inside]
    assert inside == ["a/weights", "a/MatMul", "a/b"]
    assert outside == ["input", "logits"]
    assert [node.name for node in view.nodes] == ["a/weights", "a/MatMul", "a/b/Relu"]
    assert len(view.boxes[True, "logits"].nodes) == 2
    assert ScopedGraph(GRAPH).look_into("a/b") is not None
    assert ScopedGraph(GRAPH).look_into("a/weights") is None
    assert ScopedGraph(GRAPH).look_into("b") is None


NAMES = st.integers(0, 11)


@given(st.lists(st.tuples(NAMES, NAMES).filter(lambda wire: wire[0] != wire[1]), unique=True),
       st.lists(st.floats(10, 200), min_size=12, max_size=12))
def test_boxes_never_overlap_and_wires_lead_down(
    wires: list[tuple[int, int]], sizes: list[float]
) -> None:
    widths = dict(enumerate(sizes))
    sources = {a for a, _ in wires} - {b for _, b in wires}
    layout = lay_out(widths, wires, {key for key in sources if key % 2})
    assert set(layout.places) == set(widths)
    for one, other in itertools.combinations(widths, 2):
        (x, level), (x_other, level_other) = layout.places[one], layout.places[other]
        if level == level_other:
            assert abs(x - x_other) >= (widths[one] + widths[other]) / 2 + GAP - 1e-6
    for wire, points in layout.routes.items():
        assert [points[0], points[-1]] == [layout.places[wire[0]], layout.places[wire[1]]]
        assert [level for _, level in points] == list(range(points[0][1], points[-1][1] + 1))
    for key, (x, level) in layout.places.items():
        assert widths[key] / 2 - 1e-6 <= x <= layout.width - widths[key] / 2 + 1e-6
        assert 0 <= level < layout.layers


@given(st.lists(st.tuples(NAMES, NAMES).filter(lambda wire: wire[0] < wire[1]), unique=True))
def test_without_circles_no_wire_is_lost(wires: list[tuple[int, int]]) -> None:
    layout = lay_out(dict.fromkeys(range(12), 50.0), wires, set())
    assert set(layout.routes) == set(wires)


def test_a_line_of_operations_is_straight_with_its_variables_on_the_right() -> None:
    layout = lay_out(
        {"input": 60, "weights": 90, "MatMul": 70, "biases": 60, "Add": 50},
        [("input", "MatMul"), ("weights", "MatMul"), ("MatMul", "Add"), ("biases", "Add")],
        {"weights", "biases"})
    middles = {key: place[0] for key, place in layout.places.items()}
    assert middles["input"] == middles["MatMul"] == middles["Add"]
    assert middles["weights"] > middles["input"]
    assert [layout.places[key][1] for key in ("weights", "biases")] == [0, 1]


def test_a_circle_is_opened_somewhere() -> None:
    layout = lay_out({"a": 10, "b": 10}, [("a", "b"), ("b", "a")], set())
    assert list(layout.routes) == [("a", "b")]


def test_shapes_are_the_graph_s_own(run_directory: Path) -> None:
    subject = served(run_directory)
    shapes = tensor_shapes(subject.graph_def, subject.names, subject.network)
    assert shapes["layer1/Relu"] == (None, 200)
    assert shapes["probabilities"] == (None, 10)
    refused = chain("input", "odd < input")    # its ops lack attributes
    assert tensor_shapes(refused, subject.names, subject.network) == {}


@pytest.mark.parametrize("scope", ["", "layer1", "layer2"])
def test_the_page_draws_and_lists_a_scope(run_directory: Path, scope: str) -> None:
    subject = served(run_directory)
    page = respond(subject, Request("GET", "/graph", {"scope": scope})).body.decode()
    listed = re.findall(r'<tr id="([^"]+)"', page)
    names = [node.name for node in subject.graph_def.node]
    assert sorted(listed) == sorted(n for n in names if not scope or n.startswith(scope + "/"))
    boxes = re.findall(r'class="box ([a-z ]+)"', page)
    assert len(boxes) == {"": 5, "layer1": 7, "layer2": 6}[scope]
    assert np.all([float(x) >= 0 for x in re.findall(r'<rect x="([^"]+)"', page)])
    if scope:
        assert f'href="/variables?name={scope}%2Fweights"' in page
