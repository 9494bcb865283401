"""Random graphs from the table of ops, with what TensorFlow makes of each node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from op_templates import DRAWING, TEMPLATES, Call, Draw, Known, Made
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import dtypes, graph

# what TensorFlow's Python functions call these arguments
_PYTHON_NAMES = {"reduction_indices": "axis", "split_dim": "axis", "dim": "axis",
                 "squeeze_dims": "axis"}
# ops whose kernels check what they are given; others end TensorFlow's process
_SPOILED = (
    "Add", "Sub", "Mul", "Maximum", "Equal", "LogicalAnd", "MatMul", "BatchMatMulV2", "ConcatV2",
    "Pack", "Reshape", "Transpose", "ExpandDims", "Squeeze", "Tile", "Pad", "Slice",
    "StridedSlice", "Split", "SplitV", "Unpack", "GatherV2", "Sum", "Mean", "Max", "ArgMax",
    "Softmax", "BiasAdd", "SelectV2", "OneHot", "Cumsum", "ReverseV2", "BroadcastTo", "Einsum",
    "SoftmaxCrossEntropyWithLogits", "SpaceToDepth", "DepthToSpace", "TopKV2", "Fill", "Cast",
    "AddN", "Range", "Select",
)
_REUSABLE = 30.0    # nodes whose values grow beyond are not fed to others: errors would grow too


@dataclass
class RandomGraph:
    """A GraphDef, what to feed, what to fetch, and how large the inputs of each fetch were."""

    graph_def: Any = field(default_factory=lambda: GraphDef(versions={"producer": 1882}))
    feeds: dict[str, np.ndarray] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    invalid: RandomGraph | None = None   # the same and one more node, which TensorFlow refuses
    reason: str = ""                     # what TensorFlow said of it

    def extend(self, other: RandomGraph, prefix: str) -> None:
        """Adds another graph, its names below a prefix."""
        for node in other.graph_def.node:
            added = self.graph_def.node.add()
            added.CopyFrom(node)
            added.name = prefix + node.name
            added.input[:] = [prefix + name for name in node.input]
        self.feeds |= {prefix + name: value for name, value in other.feeds.items()}
        self.outputs += [prefix + name for name in other.outputs]
        self.scales += other.scales

    def add(self, call: Call, name: str) -> None:
        """Adds the node of a call, and nodes for its inputs."""
        inputs = []
        for place, each in enumerate(call.inputs):
            value = _value(each)
            number = dtypes.from_numpy(value.dtype)
            if isinstance(each, Made):
                ref = each.ref.removesuffix(":0")
            elif isinstance(each, Known):
                ref = f"{name}/const{place}"
                self.graph_def.node.append(graph.build_node(
                    "Const", ref, attrs={"value": value, "dtype": number}))
            else:
                ref = f"{name}/input{place}"
                self.graph_def.node.append(graph.build_node(
                    "Placeholder", ref, attrs={"dtype": number, "shape": value.shape}))
                self.feeds[ref] = value
            inputs.append((ref, number))
        self.graph_def.node.append(graph.build_node(call.op, name, inputs, call.attrs))


def draw_graph(
    tf: ModuleType, seed: int, ops: Sequence[str], length: int, float_type: Any = np.float32
) -> RandomGraph:
    """A graph of up to so many nodes of these ops; the last one may be invalid."""
    rng = np.random.default_rng(seed)
    draw, made = Draw(rng, float_type), RandomGraph()
    for index in range(length):
        call = TEMPLATES[str(rng.choice(ops))](draw)
        name = f"scope{index % 3}/n{index}"
        spoiled = 0 < index == length - 1 and call.op in _SPOILED
        if spoiled:
            call = _spoil(rng, call)
        try:
            values = _eager(tf, call)
            if spoiled:
                _import(tf, call, name)
        except (tf.errors.NotFoundError, tf.errors.UnimplementedError):
            continue        # no kernel for the type
        except (tf.errors.OpError, ValueError, TypeError) as error:
            if "OpKernel" in str(error):
                continue
            made.invalid = RandomGraph(reason=f"{call.op} {name}: {str(error)[:300]}")
            made.invalid.graph_def.CopyFrom(made.graph_def)
            made.invalid.feeds |= made.feeds
            made.invalid.add(call, name)
            return made
        made.add(call, name)
        scale = max((float(np.abs(value).max()) for each in call.inputs
                     if (value := _value(each)).size and value.dtype.kind in "fV"), default=0.0)
        if "Normal" in call.op:
            scale = 1.0   # a number near 0 is the difference of numbers near 1
        for place, value in enumerate(values):
            made.outputs.append(f"{name}:{place}")
            made.scales.append(scale)
            if (call.op not in DRAWING and value.dtype == float_type and value.size
                    and value.ndim <= 4 and np.isfinite(value).all()
                    and np.abs(value).max() < _REUSABLE):
                draw.pool.append(Made(f"{name}:{place}", value))
    return made


def _spoil(rng: np.random.Generator, call: Call) -> Call:
    """The same call with something changed that may make it invalid."""
    inputs, attrs = list(call.inputs), dict(call.attrs)
    numbers = [key for key, value in attrs.items() if isinstance(value, (int, list))
               and not isinstance(value, bool)]
    choice = rng.integers(4)
    place = int(rng.integers(len(inputs))) if inputs else 0
    if choice == 0 and numbers:
        key = str(rng.choice(numbers))
        attrs[key] = ([int(n) for n in rng.integers(-1, 4, len(attrs[key]))]
                      if isinstance(attrs[key], list) else int(rng.integers(-3, 6)))
    elif inputs:
        value = _value(inputs[place])
        if choice == 1:
            value = value.reshape((*value.shape, 1))
        elif choice == 2:
            value = np.concatenate([value.ravel(), value.ravel()[:1]])
        elif value.dtype.kind == "i":
            value = rng.integers(-4, 9, value.shape).astype(value.dtype)
        kind = Known if isinstance(inputs[place], Known) else np.asarray
        inputs[place] = kind(value)
    return Call(call.op, inputs, attrs, call.defined)


def _value(each: Any) -> np.ndarray:
    return np.asarray(each.value if isinstance(each, (Known, Made)) else each)


def _eager(tf: ModuleType, call: Call) -> list[np.ndarray]:
    """The node's outputs, by TensorFlow."""
    definition = graph.signature(call.op)
    values = [tf.constant(np.array(_value(each))) for each in call.inputs]
    arguments: dict[str, Any] = {}
    single = sum(not (each.number_attr or each.type_list_attr) for each in definition.inputs)
    lists = len(definition.inputs) - single
    rest = list(values)
    if call.op in ("Select", "Where"):   # their names clash with those of other ops
        return _first_names(tf, call.op, values)
    for each in definition.inputs:
        listed = each.number_attr or each.type_list_attr
        count = (len(values) - single) // max(lists, 1) if listed else 1
        taken, rest = rest[:count], rest[count:]
        arguments[_PYTHON_NAMES.get(each.name, each.name)] = taken if listed else taken[0]
    convert = {"type": tf.as_dtype, "shape": tf.TensorShape}
    attrs = {_PYTHON_NAMES.get(key, key):
             convert.get(definition.attr_types[key], lambda same: same)(value)
             for key, value in call.attrs.items()}
    result = getattr(tf.raw_ops, call.op)(**arguments, **attrs)
    outputs = result if isinstance(result, (tuple, list)) else [result]
    flat = [item for each in outputs for item in (each if isinstance(each, list) else [each])]
    return [each.numpy() for each in flat[:call.defined]]


def _import(tf: ModuleType, call: Call, name: str) -> None:
    """Lets TensorFlow infer shapes, which refuses some of what its eager kernels take."""
    alone = RandomGraph()
    alone.add(Call(call.op, [each if isinstance(each, Known) else _value(each)
                             for each in call.inputs], call.attrs), name)
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(
            tf.compat.v1.GraphDef.FromString(alone.graph_def.SerializeToString()))


def _first_names(tf: ModuleType, op: str, values: Sequence[Any]) -> list[np.ndarray]:
    names = ["condition", "x", "y"]
    return [getattr(tf.raw_ops, op)(**dict(zip(names, values, strict=False))).numpy()]
