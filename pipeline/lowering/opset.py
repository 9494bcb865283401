"""Which ops the graph's readers know."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.lowering.errors import LoweringError


class Opset(NamedTuple):
    """`renamed`: ops that a later one replaces; `producer`: the version written in the graph."""

    name: str
    producer: int
    renamed: dict[str, str]

    @property
    def modern(self) -> bool:
        """Whether ops newer than TensorFlow 1 may be used."""
        return bool(self.renamed)


# attributes that have a default and that TensorFlow 1.0 does not know: it refuses a node that says
# one of them, while readers without op definitions want the older ones said
# (tensorflow/core/ops/ops.pbtxt of 1.0; `Conv3D`, … got `data_format` later than `Conv2D`)
_LATER = frozenset({
    "grad_a", "grad_b", "grad_x", "grad_y", "output_type", "explicit_paddings", "dilations",
    "Truncate", "incompatible_shape_error", "index_type", "exponential_avg_factor", "batch_dims",
    "output_idx_type", "bad_indices_policy", "Tk", "resize_if_index_out_of_bounds", "num_elements",
    "parallel_iterations", "output_shapes", "Tcomplex", "Treal", "Tnumsegments",
})
_LATER_OF = {op: _LATER | {"data_format"} for op in (
    "Conv3D", "DepthwiseConv2dNative", "MaxPool3D", "AvgPool3D")}


def later_attributes(op: str) -> frozenset[str]:
    """The attributes of an op whose defaults are left out, as TensorFlow 1.0 does not know them."""
    return _LATER_OF.get(op, _LATER)


_OPSETS = {
    # 22 is the first where a Placeholder's shape [] is a scalar; old readers refuse nothing below
    # 27 (shared/reference/consumers.md, formats.md §4)
    "tf1": Opset("tf1", 24, {}),
    # TensorFlow 2.21, whose op definitions are in graph/op_defs.txt
    "modern": Opset("modern", 2474, {
        "Add": "AddV2", "BatchMatMul": "BatchMatMulV2", "Select": "SelectV2",
        "FusedBatchNorm": "FusedBatchNormV3",
    }),
}


def opset(name: str) -> Opset:
    """`tf1`: what TensorFlow 1.x and the readers made for it know; `modern`: TensorFlow 2.

    Raises:
        LoweringError: there is no such op set.
    """
    if name not in _OPSETS:
        raise LoweringError(f"opset {name!r}; expected one of {', '.join(_OPSETS)}")
    return _OPSETS[name]
