"""The variables of every model in conf/model, and the scopes of its operations, as written down."""

from __future__ import annotations

import os
from pathlib import Path

import jax
from configured import CONF, configured

from pipeline import model

GOLDEN = Path(__file__).with_name("variables.golden")
REGENERATE = "JAXFROST_GOLDEN=write python -m pytest tests/model/test_model_golden.py"
# These two take what they are from the user: a class of theirs, a graph of theirs.
OPEN = {"module", "imported"}


def description(name: str) -> list[str]:
    network = model.build(configured(f"model={name}").model)
    lines = [f"{name}: {list(network.input_shape)} -> {network.num_classes}"]
    for row in model.variable_table(network):
        shape = "x".join(map(str, row.shape)) or "scalar"
        lines.append(f"  {row.name} {row.dtype} {shape} {row.count} {row.penalty or '-'} "
                     f"{','.join(row.collections)}")
    values = {key: jax.ShapeDtypeStruct(spec.shape, spec.dtype)
              for key, spec in network.specs.items()}
    images = jax.ShapeDtypeStruct((2, *network.input_shape), "float32")
    jaxpr = jax.make_jaxpr(lambda values, images: network.apply(values, images)[0])(values, images)
    operations = dict.fromkeys(str(e.source_info.name_stack) for e in jaxpr.eqns)
    return [*lines, f"  operations in: {' '.join(operations)}"]


def test_every_model_is_as_written_down() -> None:
    names = sorted(path.stem for path in (CONF / "model").glob("*.yaml"))
    found = "\n".join(line for name in names if name not in OPEN for line in description(name))
    if os.environ.get("JAXFROST_GOLDEN") == "write":
        GOLDEN.write_text(f"{found}\n", encoding="utf-8")
    expected = GOLDEN.read_text(encoding="utf-8")
    assert f"{found}\n" == expected, f"models have changed; if that is meant: {REGENERATE}"
