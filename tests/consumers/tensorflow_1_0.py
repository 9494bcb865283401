"""What TensorFlow 1.0.0 would say against a node, by its own table of ops."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.op_def_pb2 import OpDef
from tensorboard.compat.proto.types_pb2 import DT_RESOURCE

NO_LIST = AttrValue.ListValue()
TABLE = Path(__file__).with_name("tensorflow_1_0_ops.txt")


@cache
def table() -> dict[str, Any]:
    lines = TABLE.read_text(encoding="ascii").splitlines()
    return {name: text_format.Parse(text, OpDef())
            for name, _, text in (line.partition("\t") for line in lines)}


def objections(node: Any) -> list[str]:
    """What TensorFlow 1.0.0 would say against a node; it checks the same."""
    if node.op not in table():
        return [f"{node.name}: no op {node.op}"]
    known = {attr.name: attr for attr in table()[node.op].attr}
    found = [f"{node.name}: {node.op} has no attribute {key}" for key in node.attr
             if key not in known and not key.startswith("_")]
    found += [f"{node.name}: {node.op} needs {key}" for key, attr in known.items()
              if key not in node.attr and not attr.HasField("default_value")]
    for key, value in node.attr.items():
        allowed = known[key].allowed_values.list if key in known else NO_LIST
        if value.type > DT_RESOURCE or (allowed.type and value.type not in allowed.type):
            found.append(f"{node.name}: {node.op}.{key} can't be {value.type}")
        if allowed.s and value.s not in allowed.s:
            found.append(f"{node.name}: {node.op}.{key} can't be {value.s!r}")
    return found
