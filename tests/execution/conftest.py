"""What several of the room's tests ask TensorFlow for."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture(params=["v1", "v2"])
def control(request: pytest.FixtureRequest, tf1_graph: ModuleType) -> Iterator[ModuleType]:
    """`compat.v1` with either kind of control flow."""
    if request.param == "v1":
        tf1_graph.disable_control_flow_v2()
    else:
        tf1_graph.enable_control_flow_v2()
    yield tf1_graph
    tf1_graph.disable_control_flow_v2()
