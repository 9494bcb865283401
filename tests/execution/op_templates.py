"""One table of ops: how to draw a random, mostly valid use of each.

A template takes a `Draw` and gives a `Call`; `draw.f(…)` and its kin give an array to feed, or a
tensor that the graph has already; `Known(…)` is written into the graph as a constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Known:
    """An input that is a constant of the graph."""

    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Made:
    """An output of an earlier node, with the value TensorFlow gives it."""

    ref: str
    value: np.ndarray


@dataclass(frozen=True)
class Call:
    """A node to be: its op, its inputs (arrays are fed), its attributes.

    `defined` is how many of its outputs have a value; TensorFlow leaves the others as memory was.
    """

    op: str
    inputs: Sequence[Any]
    attrs: dict[str, Any] = field(default_factory=dict)
    defined: int | None = None


@dataclass
class Draw:
    """Random shapes, values and attributes; `pool` holds what may be used again."""

    rng: np.random.Generator
    float_type: Any = np.float32
    pool: list[Made] = field(default_factory=list)

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def flag(self) -> bool:
        return bool(self.rng.integers(2))

    def n(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def shape(self, low: int = 0, high: int = 3) -> tuple[int, ...]:
        return tuple(self.pick(1, 2, 3, 4) for _ in range(self.n(low, high)))

    def f(self, *shape: int, low: float = -2.0, high: float = 2.0, fresh: bool = False) -> Any:
        """Floats of a shape, uniform in [low, high); from the pool when it has such."""
        if not fresh and low <= -2 and high >= 2:
            fitting = [made for made in self.pool if made.value.shape == shape
                       and made.value.dtype == self.float_type]
            if fitting and self.rng.random() < 0.7:
                return self.pick(*fitting)
        return self.rng.uniform(low, high, shape).astype(self.float_type)

    def any_f(self, low: int = 0, high: int = 3, **limits: float) -> Any:
        """Floats of any shape with so many axes."""
        fitting = [made for made in self.pool if low <= made.value.ndim <= high
                   and made.value.dtype == self.float_type and made.value.size]
        if fitting and not limits and self.rng.random() < 0.7:
            return self.pick(*fitting)
        return self.f(*self.shape(low, high), fresh=True, **limits)

    def i(self, *shape: int, low: int = -5, high: int = 6, dtype: Any = np.int32) -> np.ndarray:
        return self.rng.integers(low, high, shape).astype(dtype)

    def b(self, *shape: int) -> np.ndarray:
        return self.rng.integers(0, 2, shape).astype(bool)

    def axis(self, x: Any) -> int:
        """An axis of x, counted from either end."""
        rank = max(len(shape_of(x)), 1)
        return self.n(-rank, rank - 1)

    def axes(self, x: Any) -> np.ndarray:
        rank = len(shape_of(x))
        chosen = [axis for axis in range(rank) if self.flag()]
        return np.array([axis - rank if self.flag() else axis for axis in chosen], np.int32)

    def broadcast(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape that broadcasts to the given one."""
        kept = shape[self.n(0, len(shape)):]
        return tuple(1 if self.rng.random() < 0.2 else size for size in kept)

    def permutation(self, rank: int) -> np.ndarray:
        return self.rng.permutation(rank).astype(np.int32)


def shape_of(x: Any) -> tuple[int, ...]:
    return np.shape(x.value if isinstance(x, (Made, Known)) else x)


def value_of(x: Any) -> np.ndarray:
    return x.value if isinstance(x, (Made, Known)) else x


TEMPLATES: dict[str, Callable[[Draw], Call]] = {}


def template(*ops: str) -> Callable[[Callable[[Draw, str], Call]], None]:
    def register(make: Callable[[Draw, str], Call]) -> None:
        for op in ops:
            assert op not in TEMPLATES, op
            TEMPLATES[op] = lambda draw, op=op: make(draw, op)
    return register


def known(*values: int, dtype: Any = np.int32) -> Known:
    return Known(np.array(values, dtype))


# one array of floats, by the interval it may come from
SMOOTH = {
    (-2.0, 2.0): "Neg Abs Square Exp Expm1 Tanh Sigmoid Sin Cos Atan Sinh Cosh Asinh Erf Erfc Relu "
                 "Relu6 Elu Selu Softplus Softsign Identity Snapshot StopGradient PreventGradient "
                 "ZerosLike OnesLike L2Loss Ndtri BesselI0 BesselI0e BesselI1 BesselI1e",
    (0.1, 3.0): "Log Log1p Sqrt Rsqrt Reciprocal Inv",
    (-0.9, 0.9): "Asin Acos Atanh Erfinv Tan",
    (1.1, 3.0): "Acosh",
}
ROUGH = "Sign Floor Ceil Rint Round IsFinite IsInf IsNan"   # jump: never fed by other nodes

for _limits, _ops in SMOOTH.items():
    @template(*_ops.split())
    def _smooth(draw: Draw, op: str, limits: tuple[float, float] = _limits) -> Call:
        if limits == (-2.0, 2.0):
            return Call(op, [draw.any_f()])
        return Call(op, [draw.f(*draw.shape(), low=limits[0], high=limits[1], fresh=True)])


@template(*ROUGH.split())
def _rough(draw: Draw, op: str) -> Call:
    x = draw.f(*draw.shape(), low=-3, high=3, fresh=True)
    if op.startswith("Is"):
        x = np.where(draw.b(*x.shape), x, draw.pick(np.nan, np.inf, -np.inf)).astype(x.dtype)
    return Call(op, [x])


@template("Lgamma", "Digamma")
def _gamma(draw: Draw, op: str) -> Call:
    """Away from their zeros, where the last bits of the argument decide."""
    low, high = draw.pick((0.05, 0.85), (2.2, 5)) if op == "Lgamma" else draw.pick(
        (0.1, 1.2), (1.8, 4))
    return Call(op, [draw.f(*draw.shape(), low=low, high=high, fresh=True)])


@template("Add", "AddV2", "Sub", "Mul", "Maximum", "Minimum", "SquaredDifference", "MulNoNan")
def _binary(draw: Draw, op: str) -> Call:
    if draw.rng.random() < 0.25 and op != "MulNoNan":
        shape = draw.shape()
        dtype = draw.pick(np.int32, np.int64)
        return Call(op, [draw.i(*shape, dtype=dtype),
                         draw.i(*draw.broadcast(shape), dtype=dtype)])
    x = draw.any_f()
    return Call(op, [x, draw.f(*draw.broadcast(shape_of(x)))])


@template("RealDiv", "Div", "DivNoNan", "Xdivy", "Xlogy", "Xlog1py", "FloorDiv", "FloorMod", "Mod",
          "TruncateMod", "Pow", "Atan2", "NextAfter", "Zeta", "Igamma", "Igammac")
def _guarded(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    low = 1.2 if op == "Zeta" else 0.3
    x = draw.f(*shape, low=low, high=4, fresh=True)
    y = draw.f(*draw.broadcast(shape), low=0.3, high=3, fresh=True)
    if op in ("DivNoNan", "Xdivy", "Xlogy"):
        target = y if op == "DivNoNan" else x
        target[draw.b(*target.shape)] = 0
    return Call(op, [x, y if op != "NextAfter" else np.broadcast_to(y, shape).copy()])


@template("TruncateDiv")
def _integer_division(draw: Draw, op: str) -> Call:
    shape, dtype = draw.shape(), draw.pick(np.int32, np.int64)
    return Call(op, [draw.i(*shape, low=-20, high=20, dtype=dtype),
                     draw.i(*shape, low=1, high=5, dtype=dtype) * draw.pick(1, -1)])


@template("BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift")
def _bitwise(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    dtype = draw.pick(np.int32, np.uint8, np.int16, np.int64)
    low = 0 if op.endswith("Shift") else -100 if np.dtype(dtype).kind == "i" else 0
    return Call(op, [draw.i(*shape, low=0, high=100, dtype=dtype),
                     draw.i(*draw.broadcast(shape), low=low, high=5, dtype=dtype)])


@template("Invert", "PopulationCount")
def _bits(draw: Draw, op: str) -> Call:
    return Call(op, [draw.i(*draw.shape(), low=0, high=100,
                            dtype=draw.pick(np.int32, np.uint8, np.int8))])


@template("Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual")
def _comparison(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    if draw.flag():
        return Call(op, [draw.i(*shape, low=0, high=3), draw.i(*draw.broadcast(shape), low=0,
                                                               high=3)])
    return Call(op, [draw.f(*shape, fresh=True), draw.f(*draw.broadcast(shape), fresh=True)])


@template("ApproximateEqual")
def _approximately(draw: Draw, op: str) -> Call:
    x = draw.f(*draw.shape(), fresh=True)
    moved = x + draw.rng.choice([0, 0.01, 0.5], x.shape).astype(x.dtype)
    return Call(op, [x, moved], {"tolerance": draw.pick(0.1, 1e-5)})


@template("LogicalAnd", "LogicalOr")
def _logical(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.b(*shape), draw.b(*draw.broadcast(shape))])


@template("LogicalNot")
def _not(draw: Draw, op: str) -> Call:
    return Call(op, [draw.b(*draw.shape())])


@template("Select")
def _select(draw: Draw, op: str) -> Call:
    x = draw.any_f(0, 3)
    shape = shape_of(x)
    condition = draw.b(*draw.pick(shape, shape[:1] if len(shape) > 1 else shape, ()))
    return Call(op, [condition, x, draw.f(*shape)])


@template("SelectV2")
def _select_v2(draw: Draw, op: str) -> Call:
    x = draw.any_f(0, 3)
    shape = shape_of(x)
    return Call(op, [draw.b(*draw.broadcast(shape)), x, draw.f(*draw.broadcast(shape))])


@template("AddN", "AccumulateNV2", "IdentityN")
def _several(draw: Draw, op: str) -> Call:
    first = draw.any_f()
    rest = [draw.f(*shape_of(first)) for _ in range(draw.n(0, 2))]
    return Call(op, [first, *rest], {"shape": shape_of(first)} if op[1] == "c" else {})


@template("Cast")
def _cast(draw: Draw, op: str) -> Call:
    x = draw.pick(draw.f(*draw.shape(), fresh=True), draw.i(*draw.shape(), low=0),
                  draw.b(*draw.shape()))
    return Call(op, [x], {"DstT": draw.pick(np.float32, np.int32, np.int64, np.bool_, np.float16,
                                            np.int8)})


@template("Bitcast")
def _bitcast(draw: Draw, op: str) -> Call:
    x = draw.rng.uniform(-2, 2, (*draw.shape(1, 2), 2)).astype(np.float32)
    return Call(op, [x], {"type": draw.pick(np.int32, np.uint32, np.uint8, np.int16)})


@template("Complex")
def _complex(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.f(*shape, fresh=True), draw.f(*draw.broadcast(shape), fresh=True)],
                {"Tout": complex_type(draw)})


def complex_type(draw: Draw) -> Any:
    return np.complex64 if draw.float_type == np.float32 else np.complex128


def complex_array(draw: Draw, *shape: int) -> np.ndarray:
    parts = draw.rng.uniform(-2, 2, (2, *shape))
    return (parts[0] + 1j * parts[1]).astype(complex_type(draw))


@template("Real", "Imag", "Angle", "ComplexAbs")
def _parts(draw: Draw, op: str) -> Call:
    return Call(op, [complex_array(draw, *draw.shape())], {"Tout": draw.float_type})


@template("Conj")
def _conj(draw: Draw, op: str) -> Call:
    return Call(op, [complex_array(draw, *draw.shape())])


@template("Polygamma")
def _polygamma(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.i(*shape, low=1, high=3).astype(draw.float_type),
                     draw.f(*shape, low=0.5, high=3, fresh=True)])


@template("Betainc")
def _betainc(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.f(*shape, low=0.5, high=3, fresh=True),
                     draw.f(*shape, low=0.5, high=3, fresh=True),
                     draw.f(*shape, low=0.1, high=0.9, fresh=True)])


@template("ClipByValue")
def _clip(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f(), draw.f(low=-1, high=0, fresh=True),
                     draw.f(low=0.1, high=1, fresh=True)])


@template("Cross")
def _cross(draw: Draw, op: str) -> Call:
    shape = (*draw.shape(0, 2), 3)
    return Call(op, [draw.f(*shape), draw.f(*shape)])


@template("GuaranteeConst", "DeepCopy", "Copy", "DebugGradientIdentity")
def _passed_on(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f()])


@template("PlaceholderWithDefault")
def _default(draw: Draw, op: str) -> Call:
    x = draw.any_f()
    return Call(op, [x], {"shape": shape_of(x)})


@template("LeakyRelu")
def _leaky(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f()], {"alpha": draw.pick(0.2, 0.01, 0.5)})


@template("CheckNumerics")
def _check_numerics(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f()], {"message": "looked at"})


@template("EnsureShape")
def _ensure_shape(draw: Draw, op: str) -> Call:
    x = draw.any_f()
    return Call(op, [x], {"shape": [draw.pick(None, size) for size in shape_of(x)]})


@template("Softmax", "LogSoftmax")
def _softmax(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f(1, 3)])


@template("SoftmaxCrossEntropyWithLogits")
def _cross_entropy(draw: Draw, op: str) -> Call:
    shape = draw.shape(2, 2)
    labels = draw.f(*shape, low=0, high=1, fresh=True)
    return Call(op, [draw.f(*shape), labels])


@template("SparseSoftmaxCrossEntropyWithLogits")
def _sparse_cross_entropy(draw: Draw, op: str) -> Call:
    batch, classes = draw.n(1, 4), draw.n(1, 5)
    return Call(op, [draw.f(batch, classes),
                     draw.i(batch, low=0, high=classes, dtype=draw.pick(np.int32, np.int64))])


# gradients that take two arrays of one shape
@template("ReluGrad", "Relu6Grad", "SoftplusGrad", "SoftsignGrad", "EluGrad", "SeluGrad",
          "TanhGrad", "SigmoidGrad")
def _gradient(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.f(*shape, fresh=True), draw.f(*shape, fresh=True)])


@template("SqrtGrad", "RsqrtGrad", "InvGrad", "ReciprocalGrad", "IgammaGradA", "RandomGammaGrad")
def _positive_gradient(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.f(*shape, low=0.5, high=2, fresh=True),
                     draw.f(*shape, low=0.5, high=2, fresh=True)])


@template("LeakyReluGrad")
def _leaky_gradient(draw: Draw, op: str) -> Call:
    shape = draw.shape()
    return Call(op, [draw.f(*shape, fresh=True), draw.f(*shape, fresh=True)], {"alpha": 0.3})


@template("BiasAdd")
def _bias_add(draw: Draw, op: str) -> Call:
    x = draw.any_f(2, 4)
    where = draw.pick("NHWC", "NCHW") if len(shape_of(x)) == 4 else "NHWC"
    size = shape_of(x)[1 if where == "NCHW" else -1]
    return Call(op, [x, draw.f(size)], {"data_format": where})


@template("BiasAddV1")
def _bias_add_v1(draw: Draw, op: str) -> Call:
    x = draw.any_f(2, 3)
    return Call(op, [x, draw.f(shape_of(x)[-1])])


@template("BiasAddGrad")
def _bias_add_grad(draw: Draw, op: str) -> Call:
    x = draw.any_f(2, 4)
    where = draw.pick("NHWC", "NCHW") if len(shape_of(x)) == 4 else "NHWC"
    return Call(op, [x], {"data_format": where})


@template("MatMul")
def _mat_mul(draw: Draw, op: str) -> Call:
    a = draw.any_f(2, 2)
    transpose_a, transpose_b = draw.flag(), draw.flag()
    inner, outer = shape_of(a)[0 if transpose_a else 1], draw.n(1, 4)
    b = draw.f(*((outer, inner) if transpose_b else (inner, outer)))
    return Call(op, [a, b], {"transpose_a": transpose_a, "transpose_b": transpose_b})


@template("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def _batch_mat_mul(draw: Draw, op: str) -> Call:
    batch = draw.shape(0 if op != "BatchMatMul" else 1, 2)
    rows, inner, columns = draw.n(1, 4), draw.n(1, 4), draw.n(1, 4)
    adj_x, adj_y = draw.flag(), draw.flag()
    other = batch if op == "BatchMatMul" else draw.broadcast(batch)
    x = draw.f(*batch, *((inner, rows) if adj_x else (rows, inner)))
    y = draw.f(*other, *((columns, inner) if adj_y else (inner, columns)))
    attrs = {"adj_x": adj_x, "adj_y": adj_y}
    return Call(op, [x, y], attrs | ({"Tout": draw.float_type} if op[-1] == "3" else {}))


@template("Einsum")
def _einsum(draw: Draw, op: str) -> Call:
    a, b, c, d = (draw.n(1, 4) for _ in range(4))
    equation, shapes = draw.pick(
        ("ab,bc->ac", [(a, b), (b, c)]), ("abc,acd->abd", [(a, b, c), (a, c, d)]),
        ("ab->ba", [(a, b)]), ("abc->b", [(a, b, c)]), ("...a,ab->...b", [(c, d, a), (a, b)]),
        ("ab,ab->a", [(a, b), (a, b)]), ("aa->a", [(a, a)]))
    return Call(op, [draw.f(*shape) for shape in shapes], {"equation": equation})


@template("Conv2D")
def _conv(draw: Draw, op: str) -> Call:
    size, channels, groups = draw.n(4, 7), draw.n(1, 3), draw.pick(1, 1, 2)
    height, width = draw.n(1, 3), draw.n(1, 3)
    x = draw.f(draw.n(1, 2), size, size + 1, channels * groups)
    filters = draw.f(height, width, channels, draw.n(1, 3) * groups)
    dilation = draw.pick(1, 1, 2)
    stride = 1 if dilation > 1 else draw.n(1, 3)
    attrs = {"strides": [1, stride, stride, 1], "padding": draw.pick("SAME", "VALID", "EXPLICIT"),
             "dilations": [1, dilation, dilation, 1]}
    if attrs["padding"] == "EXPLICIT":
        attrs["explicit_paddings"] = [0, 0, *(draw.n(0, 2) for _ in range(4)), 0, 0]
    return Call(op, [x, filters], attrs)


def _conv_form(draw: Draw) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], dict]:
    """Shapes of picture, filters and result, and attributes of one convolution."""
    size, channels, wide = draw.n(4, 7), draw.n(1, 3), draw.n(1, 3)
    height, width, stride = draw.n(1, 3), draw.n(1, 3), draw.n(1, 2)
    padding = draw.pick("SAME", "VALID")
    out = [math.ceil(n / stride) if padding == "SAME" else (n - k) // stride + 1
           for n, k in ((size, height), (size + 1, width))]
    attrs = {"strides": [1, stride, stride, 1], "padding": padding}
    return (2, size, size + 1, channels), (height, width, channels, wide), (2, *out, wide), attrs


@template("Conv2DBackpropInput")
def _conv_input(draw: Draw, op: str) -> Call:
    x, filters, out, attrs = _conv_form(draw)
    return Call(op, [known(*x), draw.f(*filters), draw.f(*out)], attrs)


@template("Conv2DBackpropFilter")
def _conv_filter(draw: Draw, op: str) -> Call:
    x, filters, out, attrs = _conv_form(draw)
    return Call(op, [draw.f(*x), known(*filters), draw.f(*out)], attrs)


@template("DepthwiseConv2dNative")
def _depthwise(draw: Draw, op: str) -> Call:
    x, filters, _, attrs = _conv_form(draw)
    return Call(op, [draw.f(*x), draw.f(*filters[:3], draw.n(1, 2))], attrs)


@template("DepthwiseConv2dNativeBackpropInput")
def _depthwise_input(draw: Draw, op: str) -> Call:
    x, filters, out, attrs = _conv_form(draw)
    return Call(op, [known(*x), draw.f(*filters[:3], 2), draw.f(*out[:3], x[3] * 2)], attrs)


@template("DepthwiseConv2dNativeBackpropFilter")
def _depthwise_filter(draw: Draw, op: str) -> Call:
    x, filters, out, attrs = _conv_form(draw)
    return Call(op, [draw.f(*x), known(*filters[:3], 2), draw.f(*out[:3], x[3] * 2)], attrs)


@template("Conv3D")
def _conv3d(draw: Draw, op: str) -> Call:
    x, filters = draw.f(1, 4, 5, 4, 2), draw.f(2, draw.n(1, 3), 2, 2, 3)
    stride = draw.n(1, 2)
    return Call(op, [x, filters], {"strides": [1, stride, stride, stride, 1],
                                   "padding": draw.pick("SAME", "VALID")})


@template("Conv3DBackpropInputV2")
def _conv3d_input(draw: Draw, op: str) -> Call:
    return Call(op, [known(1, 4, 5, 4, 2), draw.f(2, 3, 2, 2, 3), draw.f(1, 4, 5, 4, 3)],
                {"strides": [1, 1, 1, 1, 1], "padding": "SAME"})


@template("Conv3DBackpropFilterV2")
def _conv3d_filter(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(1, 4, 5, 4, 2), known(2, 3, 2, 2, 3), draw.f(1, 4, 5, 4, 3)],
                {"strides": [1, 1, 1, 1, 1], "padding": "SAME"})


def _pool_form(draw: Draw) -> dict:
    return {"ksize": [1, draw.n(1, 3), draw.n(1, 3), 1],
            "strides": [1, draw.n(1, 3), draw.n(1, 2), 1], "padding": draw.pick("SAME", "VALID")}


def _picture(draw: Draw, channels: int = 2) -> Any:
    return draw.f(draw.n(1, 2), draw.n(3, 6), draw.n(3, 6), channels)


@template("MaxPool", "AvgPool")
def _pool(draw: Draw, op: str) -> Call:
    return Call(op, [_picture(draw)], _pool_form(draw))


@template("MaxPoolV2")
def _pool_v2(draw: Draw, op: str) -> Call:
    form = _pool_form(draw)
    return Call(op, [_picture(draw), known(*form["ksize"]), known(*form["strides"])],
                {"padding": form["padding"]})


@template("MaxPoolWithArgmax")
def _pool_argmax(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(2, 5, 4, 3, fresh=True)],
                _pool_form(draw) | {"include_batch_in_index": draw.flag(),
                                    "Targmax": draw.pick(np.int32, np.int64)})


@template("MaxPool3D", "AvgPool3D")
def _pool3d(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(1, 4, 5, 4, 2)], {
        "ksize": [1, 2, draw.n(1, 3), 2, 1], "strides": [1, 1, 2, draw.n(1, 2), 1],
        "padding": draw.pick("SAME", "VALID")})


def _pooled(shape: Sequence[int], form: dict) -> tuple[int, ...]:
    return tuple(math.ceil(n / s) if form["padding"] == "SAME" else (n - k) // s + 1
                 for n, k, s in zip(shape, form["ksize"], form["strides"], strict=True))


@template("AvgPoolGrad")
def _avg_pool_grad(draw: Draw, op: str) -> Call:
    form, shape = _pool_form(draw), (2, 5, 4, 3)
    return Call(op, [known(*shape), draw.f(*_pooled(shape, form))], form)


@template("MaxPoolGrad")
def _max_pool_grad(draw: Draw, op: str) -> Call:
    form, shape = _pool_form(draw), (2, 5, 4, 3)
    x = draw.f(*shape, fresh=True)
    out = draw.f(*_pooled(shape, form), fresh=True)   # recomputed here; TensorFlow's too
    return Call(op, [x, out, draw.f(*_pooled(shape, form))], form)


@template("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def _batch_norm(draw: Draw, op: str) -> Call:
    channels, training, where = draw.n(1, 3), draw.flag(), draw.pick("NHWC", "NCHW")
    averaged = training and op[-1] == "3" and draw.flag()
    factor = {"exponential_avg_factor": 0.4} if averaged else {}
    moments = (0,) if training and not averaged else (channels,)
    return Call(op, [
        draw.f(*((2, 3, 4, channels) if where == "NHWC" else (2, channels, 3, 4))),
        *(_statistics(draw, channels, low=0.5, high=2) for _ in range(2)),
        _statistics(draw, *moments, low=-1, high=1),
        _statistics(draw, *moments, low=0.5, high=2)],
        {"is_training": training, "epsilon": draw.pick(1e-3, 1e-4, 0.1),
         "data_format": where} | factor, 3)


def _statistics(draw: Draw, *shape: int, low: float, high: float) -> Any:
    """Scales and moments, which are float32 whatever the pictures are."""
    return draw.rng.uniform(low, high, shape).astype(np.float32)


@template("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3")
def _batch_norm_grad(draw: Draw, op: str) -> Call:
    """The kept statistics are those of the batch, as TensorFlow's CPU kernel keeps them."""
    channels, training = draw.n(1, 3), draw.flag()
    where = draw.pick("NHWC", "NCHW") if training else "NHWC"   # the other has no kernel
    x = draw.rng.uniform(-2, 2, (2, 3, 4, channels) if where == "NHWC" else (2, channels, 3, 4))
    axes = (0, 1, 2) if where == "NHWC" else (0, 2, 3)
    single = [np.float32(each) for each in (
        draw.rng.uniform(-2, 2, x.shape), x, draw.rng.uniform(0.5, 2, channels), x.mean(axes),
        x.var(axes))]
    rest = [np.zeros(0, np.float32)] if op[-1] == "3" else []
    return Call(op, single + rest, {
        "is_training": training, "epsilon": 0.01, "data_format": where}, 3)


@template("BatchNormWithGlobalNormalization")
def _global_norm(draw: Draw, op: str) -> Call:
    stats = [draw.f(3, low=0.5, high=2, fresh=True) for _ in range(4)]
    return Call(op, [draw.f(2, 3, 4, 3), *stats],
                {"variance_epsilon": 0.01, "scale_after_normalization": draw.flag()})


@template("LRNGrad")
def _lrn_grad(draw: Draw, op: str) -> Call:
    x, gradient = draw.rng.uniform(-2, 2, (2, 2, 3, 3, 6)).astype(np.float32)
    attrs = {"depth_radius": draw.n(1, 3), "bias": 1.5, "alpha": draw.pick(0.1, 1e-3),
             "beta": draw.pick(0.5, 0.75)}
    width = np.abs(np.subtract.outer(np.arange(6), np.arange(6))) <= attrs["depth_radius"]
    y = x * (attrs["bias"] + attrs["alpha"] * (x * x) @ width.astype(np.float32)) ** -attrs["beta"]
    return Call(op, [gradient, x, y.astype(np.float32)], attrs)


@template("LRN")
def _lrn(draw: Draw, op: str) -> Call:
    return Call(op, [draw.rng.uniform(-2, 2, (2, 3, 3, 6)).astype(np.float32)], {
        "depth_radius": draw.n(1, 3), "bias": draw.pick(1.0, 2.0), "alpha": draw.pick(0.1, 1e-3),
        "beta": draw.pick(0.5, 0.75)})


@template("Sum", "Mean", "Prod", "Max", "Min", "EuclideanNorm")
def _reduce(draw: Draw, op: str) -> Call:
    x = draw.any_f()
    return Call(op, [x, Known(draw.axes(x))], {"keep_dims": draw.flag()})


@template("All", "Any")
def _reduce_flags(draw: Draw, op: str) -> Call:
    x = draw.b(*draw.shape())
    return Call(op, [x, Known(draw.axes(x))], {"keep_dims": draw.flag()})


@template("ArgMax", "ArgMin")
def _arg(draw: Draw, op: str) -> Call:
    x = draw.f(*draw.shape(1, 3), fresh=True)
    return Call(op, [x, Known(np.int32(draw.axis(x)))],
                {"output_type": draw.pick(np.int32, np.int64)})


@template("Cumsum", "Cumprod", "CumulativeLogsumexp")
def _cumulative(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    return Call(op, [x, Known(np.int32(draw.axis(x)))],
                {"exclusive": draw.flag() and op != "CumulativeLogsumexp",
                 "reverse": draw.flag()})


@template("Reshape")
def _reshape(draw: Draw, op: str) -> Call:
    x = draw.any_f()
    size = math.prod(shape_of(x))
    divisor = draw.pick(*[n for n in range(1, size + 1) if size % n == 0])
    return Call(op, [x, draw.pick(known(-1, divisor), known(divisor, size // divisor),
                                  known(-1, dtype=np.int64))])


@template("Squeeze")
def _squeeze(draw: Draw, op: str) -> Call:
    x = draw.any_f()
    ones = [axis for axis, size in enumerate(shape_of(x)) if size == 1 and draw.flag()]
    return Call(op, [x], {"squeeze_dims": ones})


@template("ExpandDims")
def _expand_dims(draw: Draw, op: str) -> Call:
    x = draw.any_f()
    rank = len(shape_of(x))
    return Call(op, [x, Known(np.int32(draw.n(-rank - 1, rank)))])


@template("BroadcastTo")
def _broadcast_to(draw: Draw, op: str) -> Call:
    x = draw.any_f(0, 2)
    shape = [draw.n(1, 3) if size == 1 else size for size in shape_of(x)]
    return Call(op, [x, known(*draw.shape(0, 2), *shape)])


@template("BroadcastArgs", "BroadcastGradientArgs")
def _broadcast_args(draw: Draw, op: str) -> Call:
    shape = draw.shape(0, 3)
    pair = [known(*shape), known(*draw.broadcast(shape))]
    return Call(op, pair[::draw.pick(1, -1)])


@template("Shape", "Size")
def _shape(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f()], {"out_type": draw.pick(np.int32, np.int64)})


@template("ShapeN")
def _shape_n(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f(), draw.any_f()], {"out_type": draw.pick(np.int32, np.int64)})


@template("Rank")
def _rank(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f()])


@template("Transpose", "ConjugateTranspose")
def _transpose(draw: Draw, op: str) -> Call:
    x = draw.any_f() if op == "Transpose" else complex_array(draw, *draw.shape())
    return Call(op, [x, Known(draw.permutation(len(shape_of(x))))])


@template("InvertPermutation")
def _invert_permutation(draw: Draw, op: str) -> Call:
    return Call(op, [draw.permutation(draw.n(1, 5))])


@template("ConcatV2", "Concat")
def _concat(draw: Draw, op: str) -> Call:
    first = draw.any_f(1, 3)
    axis, shape = draw.axis(first), list(shape_of(first))
    if op == "Concat":
        axis %= len(shape)
    rest = []
    for _ in range(draw.n(1, 2)):
        shape[axis] = draw.n(1, 3)
        rest.append(draw.f(*shape))
    place = Known(np.int32(axis))
    return Call(op, [first, *rest, place] if op == "ConcatV2" else [place, first, *rest])


@template("ConcatOffset")
def _concat_offset(draw: Draw, op: str) -> Call:
    return Call(op, [Known(np.int32(1)), known(2, 3, 4), known(2, 1, 4), known(2, 5, 4)])


@template("Pack", "ParallelConcat")
def _pack(draw: Draw, op: str) -> Call:
    if op == "ParallelConcat":
        shape = draw.shape(0, 2)
        return Call(op, [draw.f(1, *shape), draw.f(1, *shape)], {"shape": (2, *shape)})
    first = draw.any_f(0, 2)
    rank = len(shape_of(first))
    rest = [draw.f(*shape_of(first)) for _ in range(draw.n(0, 2))]
    return Call(op, [first, *rest], {"axis": draw.n(-rank - 1, rank)})


@template("Unpack")
def _unpack(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    axis = draw.axis(x)
    return Call(op, [x], {"axis": axis, "num": shape_of(x)[axis]})


@template("Split")
def _split(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    axis = draw.axis(x)
    size = shape_of(x)[axis]
    count = draw.pick(*[n for n in range(1, size + 1) if size % n == 0])
    return Call(op, [Known(np.int32(axis)), x], {"num_split": count})


@template("SplitV")
def _split_v(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    axis = draw.axis(x)
    first = draw.n(0, shape_of(x)[axis])
    sizes = draw.pick([first, -1], [first, shape_of(x)[axis] - first])
    return Call(op, [x, known(*sizes), Known(np.int32(axis))], {"num_split": 2})


@template("Tile")
def _tile(draw: Draw, op: str) -> Call:
    x = draw.any_f(0, 3)
    return Call(op, [x, known(*(draw.n(1, 3) for _ in shape_of(x)))])


@template("Pad", "PadV2", "MirrorPad", "MirrorPadGrad")
def _pad(draw: Draw, op: str) -> Call:
    x = draw.f(*(draw.n(2, 4) for _ in range(draw.n(1, 3))))
    most = 1 if op.startswith("Mirror") else 3
    pads = draw.i(len(shape_of(x)), 2, low=0, high=most + 1)
    if op == "MirrorPadGrad":
        x = draw.f(*(size + pads[axis].sum() for axis, size in enumerate(shape_of(x))))
    attrs = {"mode": draw.pick("REFLECT", "SYMMETRIC")} if most == 1 else {}
    return Call(op, [x, Known(pads), *([draw.f(fresh=True)] if op == "PadV2" else [])], attrs)


@template("ReverseV2")
def _reverse(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    return Call(op, [x, Known(draw.axes(x))])


@template("Reverse")
def _reverse_flags(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    return Call(op, [x, Known(draw.b(len(shape_of(x))))])


@template("Roll")
def _roll(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    rank = len(shape_of(x))
    return Call(op, [x, known(*(draw.n(-4, 4) for _ in range(rank))), known(*range(rank))])


@template("Fill")
def _fill(draw: Draw, op: str) -> Call:
    return Call(op, [known(*draw.shape()), draw.f(fresh=True)])


@template("Range")
def _range(draw: Draw, op: str) -> Call:
    dtype = draw.pick(np.int32, np.float32, np.int64)
    delta = draw.pick(1, 2, 0.5 if dtype == np.float32 else 3)
    return Call(op, [Known(np.asarray(v, dtype)) for v in (draw.n(-3, 3), draw.n(0, 9), delta)])


@template("LinSpace")
def _lin_space(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(fresh=True), draw.f(fresh=True), Known(np.int32(draw.n(1, 6)))])


@template("OneHot")
def _one_hot(draw: Draw, op: str) -> Call:
    indices = draw.i(*draw.shape(0, 2), low=-1, high=5, dtype=draw.pick(np.int32, np.int64))
    return Call(op, [indices, Known(np.int32(draw.n(1, 5))), draw.f(fresh=True),
                     draw.f(fresh=True)], {"axis": draw.n(-1, indices.ndim)})


@template("Slice")
def _slice(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    begin = [draw.n(0, size) for size in shape_of(x)]
    size = [draw.pick(-1, draw.n(0, whole - start))
            for start, whole in zip(begin, shape_of(x), strict=True)]
    return Call(op, [x, known(*begin), known(*size)])


def _strided(draw: Draw, rank: int) -> tuple[list[Known], dict[str, int]]:
    """A random index of an array with so many axes."""
    count = draw.n(0, rank)
    masks = dict.fromkeys(["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask",
                           "shrink_axis_mask"], 0)
    begin, end, strides = [], [], []
    entries = ["range"] * count + ["new"] * draw.pick(0, 0, 1)
    if draw.rng.random() < 0.3:
        entries.append("ellipsis")
    draw.rng.shuffle(entries)
    for place, kind in enumerate(entries):
        step = draw.pick(1, 1, 2, -1)
        begin.append(0 if kind != "range" else draw.n(-5, 4))
        end.append(draw.n(-5, 5))
        strides.append(step if kind == "range" else 1)
        if kind == "new":
            masks["new_axis_mask"] |= 1 << place
        elif kind == "ellipsis":
            masks["ellipsis_mask"] |= 1 << place
        else:
            choice = draw.pick("both", "begin", "end", "none", "shrink")
            if choice in ("both", "begin"):
                masks["begin_mask"] |= 1 << place
            if choice in ("both", "end"):
                masks["end_mask"] |= 1 << place
            if choice == "shrink":
                masks["shrink_axis_mask"] |= 1 << place
                begin[-1], end[-1], strides[-1] = draw.pick(0, -1), 1, 1
                end[-1] = begin[-1] + 1
    return [known(*each) for each in (begin, end, strides)], masks


@template("StridedSlice")
def _strided_slice(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    vectors, masks = _strided(draw, len(shape_of(x)))
    return Call(op, [x, *vectors], masks)


@template("SpaceToDepth", "DepthToSpace")
def _space_to_depth(draw: Draw, op: str) -> Call:
    shape = (2, 4, 6, 2) if op == "SpaceToDepth" else (2, 3, 2, 8)
    return Call(op, [draw.f(*shape)], {"block_size": 2})


@template("SpaceToBatchND", "SpaceToBatch")
def _space_to_batch(draw: Draw, op: str) -> Call:
    x, pads = draw.f(2, 4, 5, 2), Known(np.int32([[0, 0], [draw.pick(0, 2), 1]]))
    if op == "SpaceToBatch":
        return Call(op, [x, pads], {"block_size": 2})
    return Call(op, [x, known(2, 2), pads])


@template("BatchToSpaceND", "BatchToSpace")
def _batch_to_space(draw: Draw, op: str) -> Call:
    x, crops = draw.f(8, 2, 3, 2), Known(np.int32([[0, 1], [draw.n(0, 1), 1]]))
    if op == "BatchToSpace":
        return Call(op, [x, crops], {"block_size": 2})
    return Call(op, [x, known(2, 2), crops])


@template("Gather", "GatherV2")
def _gather(draw: Draw, op: str) -> Call:
    if op == "Gather":
        x = draw.any_f(1, 3)
        return Call(op, [x, draw.i(*draw.shape(0, 2), low=0, high=shape_of(x)[0])])
    x = draw.any_f(1, 3)
    axis = draw.axis(x)
    batch = draw.n(0, axis % len(shape_of(x))) if draw.flag() else 0
    shape = (*shape_of(x)[:batch], *draw.shape(0, 2))
    indices = draw.i(*shape, low=0, high=shape_of(x)[axis], dtype=draw.pick(np.int32, np.int64))
    return Call(op, [x, indices, Known(np.int32(axis))], {"batch_dims": batch})


def _places(draw: Draw, shape: Sequence[int], *, distinct: bool = False) -> np.ndarray:
    """Positions of rows or elements in an array of a shape."""
    depth = draw.n(1, len(shape))
    every = np.stack(np.meshgrid(*map(np.arange, shape[:depth]), indexing="ij"), -1)
    every = every.reshape(-1, depth).astype(np.int32)
    count = draw.n(1, min(3, len(every))) if distinct else draw.n(1, 4)
    return every[draw.rng.choice(len(every), count, replace=not distinct)]


@template("GatherNd")
def _gather_nd(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    return Call(op, [x, _places(draw, shape_of(x))])


@template("ScatterNd")
def _scatter_nd(draw: Draw, op: str) -> Call:
    shape = draw.shape(1, 3)
    places = _places(draw, shape)
    return Call(op, [places, draw.f(len(places), *shape[places.shape[1]:]), known(*shape)])


@template("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMin",
          "TensorScatterMax")
def _tensor_scatter(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    places = _places(draw, shape_of(x), distinct=op == "TensorScatterUpdate")
    return Call(op, [x, places, draw.f(len(places), *shape_of(x)[places.shape[1]:])])


@template("TopKV2", "TopK")
def _top_k(draw: Draw, op: str) -> Call:
    x = draw.f(*draw.shape(1, 3), fresh=True)
    k = draw.n(0, x.shape[-1])
    return Call(op, [x, Known(np.int32(k))]) if op == "TopKV2" else Call(op, [x], {"k": k})


@template("InTopK", "InTopKV2")
def _in_top_k(draw: Draw, op: str) -> Call:
    x = draw.rng.uniform(-2, 2, (3, 4)).astype(np.float32)
    inputs = [x, draw.i(3, low=0, high=4)]
    return Call(op, inputs, {"k": 2}) if op == "InTopK" else Call(op, [*inputs, np.int32(2)])


@template("ReverseSequence")
def _reverse_sequence(draw: Draw, op: str) -> Call:
    batch, time = draw.permutation(3)[:2].tolist()
    x = draw.f(3, 4, 2)
    return Call(op, [x, draw.i(shape_of(x)[batch], low=0, high=shape_of(x)[time] + 1)],
                {"batch_dim": batch, "seq_dim": time})


@template("InplaceUpdate", "InplaceAdd", "InplaceSub")
def _inplace(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(4, 3), np.int32([2, 0]), draw.f(2, 3)])


@template("UnsortedSegmentSum", "UnsortedSegmentProd", "UnsortedSegmentMax", "UnsortedSegmentMin")
def _unsorted_segments(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    depth = draw.n(1, len(shape_of(x)))
    return Call(op, [x, draw.i(*shape_of(x)[:depth], low=-1, high=3), Known(np.int32(3))])


@template("SegmentSum", "SegmentMean", "SegmentProd", "SegmentMax", "SegmentMin")
def _segments(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    return Call(op, [x, Known(np.sort(draw.i(shape_of(x)[0], low=0, high=4)))])


@template("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN")
def _sparse_segments(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 3)
    count = draw.n(1, 5)
    return Call(op, [x, draw.i(count, low=0, high=shape_of(x)[0]),
                     Known(np.sort(draw.i(count, low=0, high=3)))])


@template("Bincount", "DenseBincount")
def _bincount(draw: Draw, op: str) -> Call:
    x = draw.i(*draw.pick((4,), (2, 3)) if op == "DenseBincount" else draw.shape(), low=0, high=6)
    weights = draw.pick(np.zeros(0, np.float32),
                        draw.rng.uniform(-2, 2, x.shape).astype(np.float32))
    binary = op == "DenseBincount" and draw.flag() and weights.size == 0
    return Call(op, [x, Known(np.int32(5)), weights], {"binary_output": True} if binary else {})


@template("HistogramFixedWidth")
def _histogram(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(*draw.shape(), low=-3, high=3, fresh=True),
                     np.array([-1, 2], draw.float_type), Known(np.int32(4))])


@template("DynamicStitch", "ParallelDynamicStitch")
def _stitch(draw: Draw, op: str) -> Call:
    order, tail = draw.permutation(5), draw.shape(0, 1)
    return Call(op, [Known(order[:2]), Known(order[2:]), draw.f(2, *tail), draw.f(3, *tail)])


@template("DynamicPartition")
def _partition(draw: Draw, op: str) -> Call:
    x = draw.any_f(1, 2)
    return Call(op, [x, Known(draw.i(shape_of(x)[0], low=0, high=2))], {"num_partitions": 2})


@template("Where")
def _where(draw: Draw, op: str) -> Call:
    return Call(op, [Known(draw.b(*draw.shape(1, 3)))])


@template("Unique", "UniqueWithCounts")
def _unique(draw: Draw, op: str) -> Call:
    return Call(op, [Known(draw.i(draw.n(0, 6), low=0, high=3))],
                {"out_idx": draw.pick(np.int32, np.int64)})


@template("UniqueV2", "UniqueWithCountsV2")
def _unique_v2(draw: Draw, op: str) -> Call:
    return Call(op, [Known(draw.i(4, 2, low=0, high=2)), known(draw.n(0, 1))])


@template("ListDiff")
def _list_diff(draw: Draw, op: str) -> Call:
    return Call(op, [Known(draw.i(5, low=0, high=6)), Known(draw.i(3, low=0, high=6))])


@template("LowerBound", "UpperBound")
def _bound(draw: Draw, op: str) -> Call:
    ordered = np.sort(draw.f(2, 4, fresh=True), 1)
    return Call(op, [ordered, draw.f(2, 3, fresh=True)])


@template("Bucketize")
def _bucketize(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(*draw.shape(), fresh=True)], {"boundaries": [-1.0, 0.0, 0.7]})


@template("UnravelIndex")
def _unravel(draw: Draw, op: str) -> Call:
    return Call(op, [draw.i(4, low=0, high=24), known(2, 3, 4)])


@template("DataFormatDimMap")
def _dim_map(draw: Draw, op: str) -> Call:
    return Call(op, [draw.i(3, low=-4, high=4)], {"src_format": "NHWC", "dst_format": "NCHW"})


@template("DataFormatVecPermute")
def _vec_permute(draw: Draw, op: str) -> Call:
    x = draw.i(*draw.pick((4,), (2,)))
    return Call(op, [x], {"src_format": "NHWC", "dst_format": "NCHW"})


def _regular(draw: Draw, *batch: int, size: int = 3) -> np.ndarray:
    """Matrices that are far from singular."""
    x = draw.rng.uniform(-1, 1, (*batch, size, size)) + 3 * np.eye(size)
    return x.astype(draw.float_type)


def _symmetric(draw: Draw, *batch: int) -> np.ndarray:
    x = _regular(draw, *batch)
    return (x + np.swapaxes(x, -1, -2)) / 2


@template("MatrixInverse")
def _inverse(draw: Draw, op: str) -> Call:
    return Call(op, [_regular(draw, *draw.shape(0, 1))], {"adjoint": draw.flag()})


@template("Qr")
def _qr(draw: Draw, op: str) -> Call:
    return Call(op, [_regular(draw, *draw.shape(0, 1))], {"full_matrices": draw.flag()})


@template("MatrixDeterminant", "LogMatrixDeterminant", "MatrixExponential", "Lu")
def _of_matrix(draw: Draw, op: str) -> Call:
    return Call(op, [_regular(draw, *draw.shape(0, 1))])


@template("Cholesky")
def _cholesky(draw: Draw, op: str) -> Call:
    return Call(op, [_symmetric(draw, *draw.shape(0, 1))])


@template("SelfAdjointEigV2")
def _eig(draw: Draw, op: str) -> Call:
    return Call(op, [_symmetric(draw, *draw.shape(0, 1))], {"compute_v": False}, 1)


@template("Svd")
def _svd(draw: Draw, op: str) -> Call:
    return Call(op, [_regular(draw, *draw.shape(0, 1))], {"compute_uv": False}, 1)


@template("MatrixSolve")
def _solve(draw: Draw, op: str) -> Call:
    batch = draw.shape(0, 1)
    return Call(op, [_regular(draw, *batch), draw.f(*batch, 3, 2)], {"adjoint": draw.flag()})


@template("MatrixTriangularSolve")
def _triangular(draw: Draw, op: str) -> Call:
    batch = draw.shape(0, 1)
    return Call(op, [_regular(draw, *batch), draw.f(*batch, 3, 2)],
                {"lower": draw.flag(), "adjoint": draw.flag()})


@template("MatrixSolveLs")
def _least_squares(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(4, 2, fresh=True) + np.eye(4, 2, dtype=draw.float_type) * 3,
                     draw.f(4, 1), Known(np.float64(draw.pick(0, 0.1)))], {"fast": True})


@template("TridiagonalSolve")
def _tridiagonal(draw: Draw, op: str) -> Call:
    diagonals = draw.f(3, 4, fresh=True)
    diagonals[1] += 5
    return Call(op, [diagonals, draw.f(4, 2)])


@template("TridiagonalMatMul")
def _tridiagonal_product(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(1, 4), draw.f(1, 4), draw.f(1, 4), draw.f(4, 2)])


@template("MatrixBandPart")
def _band_part(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f(2, 3), np.int64(draw.n(-1, 1)), np.int64(draw.n(-1, 1))])


@template("Diag", "MatrixDiag")
def _diag(draw: Draw, op: str) -> Call:
    return Call(op, [draw.any_f(1, 2)])


@template("DiagPart", "MatrixDiagPart")
def _diag_part(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(*draw.pick((3, 3), (2, 3, 2, 3)))
                     if op == "DiagPart" else draw.any_f(2, 3)])


@template("MatrixSetDiag")
def _set_diag(draw: Draw, op: str) -> Call:
    x = draw.any_f(2, 3)
    return Call(op, [x, draw.f(*shape_of(x)[:-2], min(shape_of(x)[-2:]))])


ALIGN = ("LEFT_LEFT", "LEFT_RIGHT", "RIGHT_LEFT", "RIGHT_RIGHT")


@template("MatrixDiagPartV2", "MatrixDiagPartV3")
def _diag_part_band(draw: Draw, op: str) -> Call:
    x, low = draw.f(2, 3, 4), draw.n(-2, 1)
    k = draw.pick(known(low), known(low, low + draw.n(0, 2)))
    return Call(op, [x, k, draw.f(fresh=True)],
                {"align": draw.pick(*ALIGN)} if op[-1] == "3" else {})


@template("MatrixDiagV2", "MatrixDiagV3")
def _diag_band(draw: Draw, op: str) -> Call:
    low = draw.n(-2, 0)
    high = low + draw.n(0, 2)
    rows, columns = 4, draw.pick(3, 5)
    width = max(min(rows + min(k, 0), columns - max(k, 0)) for k in range(low, high + 1))
    shape = (2, width) if low == high else (2, high - low + 1, width)
    return Call(op, [draw.f(*shape), known(low, high), Known(np.int32(rows)),
                     Known(np.int32(columns)), draw.f(fresh=True)],
                {"align": draw.pick(*ALIGN)} if op[-1] == "3" else {})


@template("MatrixSetDiagV2", "MatrixSetDiagV3")
def _set_diag_band(draw: Draw, op: str) -> Call:
    low = draw.n(-2, 0)
    high = low + draw.n(0, 2)
    width = max(min(3 + min(k, 0), 4 - max(k, 0)) for k in range(low, high + 1))
    shape = (2, width) if low == high else (2, high - low + 1, width)
    return Call(op, [draw.f(2, 3, 4), draw.f(*shape), known(low, high)],
                {"align": draw.pick(*ALIGN)} if op[-1] == "3" else {})


@template("FFT", "IFFT", "FFT2D", "IFFT2D", "FFT3D", "IFFT3D")
def _fft(draw: Draw, op: str) -> Call:
    rank = int(op[-2]) if op.endswith("D") else 1
    return Call(op, [complex_array(draw, *draw.shape(0, 1), *(3, 4, 5)[:rank])])


@template("RFFT", "RFFT2D", "RFFT3D")
def _rfft(draw: Draw, op: str) -> Call:
    rank = int(op[-2]) if op.endswith("D") else 1
    return Call(op, [draw.f(*draw.shape(0, 1), *(3, 4, 5)[:rank]), known(*(3, 2, 4)[:rank])],
                {"Tcomplex": complex_type(draw)})


@template("IRFFT", "IRFFT2D", "IRFFT3D")
def _irfft(draw: Draw, op: str) -> Call:
    rank = int(op[-2]) if op.endswith("D") else 1
    lengths = (4, 5, 6)[:rank]
    spectrum = np.fft.rfftn(draw.rng.uniform(-2, 2, lengths)).astype(complex_type(draw))
    return Call(op, [spectrum, known(*lengths)], {"Treal": draw.float_type})


@template("ResizeBilinear", "ResizeBicubic", "ResizeNearestNeighbor")
def _resize(draw: Draw, op: str) -> Call:
    corners = draw.flag()
    return Call(op, [_picture(draw), known(draw.n(1, 7), draw.n(1, 7))],
                {"align_corners": corners, "half_pixel_centers": not corners and draw.flag()})


@template("ResizeArea")
def _resize_area(draw: Draw, op: str) -> Call:
    return Call(op, [_picture(draw), known(draw.n(1, 7), draw.n(1, 7))],
                {"align_corners": draw.flag()})


@template("ResizeBilinearGrad", "ResizeBicubicGrad")
def _resize_grad(draw: Draw, op: str) -> Call:
    corners = draw.flag()
    gradient, original = (draw.rng.uniform(-2, 2, shape).astype(np.float32)
                          for shape in ((2, 5, 3, 2), (2, 3, 4, 2)))
    return Call(op, [gradient, original],
                {"align_corners": corners, "half_pixel_centers": not corners and draw.flag()})


@template("ResizeNearestNeighborGrad")
def _resize_nearest_grad(draw: Draw, op: str) -> Call:
    corners = draw.flag()
    return Call(op, [draw.f(2, 5, 3, 2), known(3, 4)],
                {"align_corners": corners, "half_pixel_centers": not corners and draw.flag()})


@template("CropAndResize")
def _crop(draw: Draw, op: str) -> Call:
    boxes = draw.rng.uniform(-0.2, 1.2, (3, 4)).astype(np.float32)
    return Call(op, [draw.f(2, 4, 5, 2), boxes, draw.i(3, low=0, high=2),
                     known(draw.n(1, 4), draw.n(1, 4))],
                {"method": draw.pick("bilinear", "nearest"), "extrapolation_value": 0.5})


@template("AdjustContrastv2")
def _contrast(draw: Draw, op: str) -> Call:
    picture = draw.rng.uniform(0, 1, (2, 3, 4, 3)).astype(np.float32)
    return Call(op, [picture, np.float32(draw.rng.uniform(0, 2))])


@template("AdjustHue", "AdjustSaturation")
def _adjust(draw: Draw, op: str) -> Call:
    picture = draw.rng.uniform(0, 1, (2, 3, 4, 3)).astype(np.float32)
    amount = draw.rng.uniform(-1, 1) if op == "AdjustHue" else draw.rng.uniform(0, 2)
    return Call(op, [picture, np.float32(amount)])


@template("RGBToHSV", "HSVToRGB")
def _colours(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(*draw.shape(0, 2), 3, low=0, high=1, fresh=True)])


@template("ExtractImagePatches")
def _patches(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(2, 6, 7, 2)], {
        "ksizes": [1, draw.n(1, 3), 2, 1], "strides": [1, draw.n(1, 2), 2, 1],
        "rates": [1, draw.n(1, 2), 1, 1], "padding": draw.pick("SAME", "VALID")})


@template("Dilation2D")
def _dilation(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(2, 5, 6, 2), draw.f(2, 3, 2)], {
        "strides": [1, draw.n(1, 2), 1, 1], "rates": [1, draw.n(1, 2), 1, 1],
        "padding": draw.pick("SAME", "VALID")})


@template("NonMaxSuppressionV4")
def _suppression(draw: Draw, op: str) -> Call:
    corners = draw.rng.uniform(0, 1, (6, 2))
    boxes = np.concatenate([corners, corners + draw.rng.uniform(0.2, 0.6, (6, 2))], 1)
    scores = draw.rng.uniform(0, 1, 6)
    return Call(op, [boxes.astype(np.float32), scores.astype(np.float32),
                     Known(np.int32(draw.n(1, 6))), np.float32(0.3), np.float32(0.2)],
                {"pad_to_max_output_size": True})


@template("FakeQuantWithMinMaxArgs")
def _fake_quant(draw: Draw, op: str) -> Call:
    attrs = {"min": draw.pick(-6.0, -2.5, 0.0), "max": draw.pick(6.0, 1.3),
             "num_bits": draw.pick(8, 4), "narrow_range": draw.flag()}
    return Call(op, [_within_steps(draw, attrs, attrs["max"] - attrs["min"])], attrs)


def _within_steps(draw: Draw, attrs: dict[str, Any], width: Any) -> np.ndarray:
    """Values [3, 4] around 0, away from where two steps meet: there the last bit tells."""
    step = width / (2 ** attrs["num_bits"] - 1 - attrs["narrow_range"])
    share = draw.rng.uniform(-0.4, 0.4, (3, 4))
    return ((np.rint(draw.rng.uniform(-8, 8, (3, 4)) / step) + share) * step).astype(np.float32)


@template("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
def _fake_quant_vars(draw: Draw, op: str) -> Call:
    limits = (4,) if op.endswith("Channel") else ()
    low, high = (np.float32(draw.rng.uniform(*ends, limits)) for ends in ((-3, 0), (0.5, 4)))
    attrs = {"num_bits": draw.pick(8, 4), "narrow_range": draw.flag()}
    return Call(op, [_within_steps(draw, attrs, high - low), low, high], attrs)


@template("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3", "QuantizeAndDequantizeV4")
def _quantize(draw: Draw, op: str) -> Call:
    attrs = {"signed_input": draw.flag(), "range_given": draw.flag(), "narrow_range": draw.flag(),
             "axis": draw.pick(-1, 1)}
    attrs["range_given"] &= attrs["axis"] == -1
    limits = (4,) if attrs["axis"] == 1 else ()
    x = draw.rng.uniform(-3 if attrs["signed_input"] else 0, 3, (3, 4)).astype(np.float32)
    low = np.full(limits, -2.0 if attrs["signed_input"] else 0.0, np.float32)
    inputs = [x, low, np.full(limits, 2.5, np.float32)]
    if op[-1] == "3":
        return Call(op, [*inputs, Known(np.int32(5))], attrs)
    return Call(op, inputs, attrs | {
        "num_bits": draw.pick(8, 4), "round_mode": draw.pick("HALF_TO_EVEN", "HALF_UP")})


@template("LSTMBlockCell")
def _lstm_cell(draw: Draw, op: str) -> Call:
    f = lambda *shape: draw.rng.uniform(-1, 1, shape).astype(np.float32)  # noqa: E731
    return Call(op, [f(2, 3), f(2, 4), f(2, 4), f(7, 16), f(4), f(4), f(4), f(16)],
                {"forget_bias": draw.pick(1.0, 0.0), "cell_clip": draw.pick(-1.0, 0.3, 3.0),
                 "use_peephole": draw.flag()})


@template("BlockLSTM", "BlockLSTMV2")
def _block_lstm(draw: Draw, op: str) -> Call:
    f = lambda *shape: draw.rng.uniform(-1, 1, shape).astype(np.float32)  # noqa: E731
    attrs = {"cell_clip": draw.pick(0.3, 3.0), "use_peephole": draw.flag()}
    if op == "BlockLSTM":
        attrs["forget_bias"] = draw.pick(1.0, 0.0)
    return Call(op, [np.int64(5), f(5, 2, 3), f(2, 4), f(2, 4), f(7, 16), f(4), f(4),
                     f(4), f(16)], attrs)


@template("GRUBlockCell")
def _gru_cell(draw: Draw, op: str) -> Call:
    f = lambda *shape: draw.rng.uniform(-1, 1, shape).astype(np.float32)  # noqa: E731
    return Call(op, [f(2, 3), f(2, 4), f(7, 8), f(7, 4), f(8), f(4)])


@template("SparseToDense")
def _sparse_to_dense(draw: Draw, op: str) -> Call:
    return Call(op, [np.int32([[0, 1], [1, 0], [1, 2]]), known(2, 3), draw.f(3, fresh=True),
                     draw.f(fresh=True)])


@template("SparseTensorDenseMatMul")
def _sparse_product(draw: Draw, op: str) -> Call:
    adjoint_a, adjoint_b = draw.flag(), draw.flag()
    right = (2 if adjoint_a else 3, 4)
    return Call(op, [np.int64([[0, 1], [1, 0], [1, 2]]), draw.f(3, fresh=True),
                     known(2, 3, dtype=np.int64), draw.f(*right[::-1 if adjoint_b else 1])],
                {"adjoint_a": adjoint_a, "adjoint_b": adjoint_b})


@template("SparseMatMul")
def _sparse_mat_mul(draw: Draw, op: str) -> Call:
    f = lambda *shape: draw.rng.uniform(-1, 1, shape).astype(np.float32)  # noqa: E731
    return Call(op, [f(2, 3), f(3, 4)], {"a_is_sparse": draw.flag()})


@template("TileGrad")
def _tile_grad(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(4, 6), known(2, 3)])


@template("StridedSliceGrad")
def _strided_grad(draw: Draw, op: str) -> Call:
    return Call(op, [known(4, 5), known(1, 0), known(3, 5), known(1, 2), draw.f(2, 3)])


@template("TensorStridedSliceUpdate")
def _strided_update(draw: Draw, op: str) -> Call:
    return Call(op, [draw.f(4, 5), known(1, 0), known(3, 5), known(1, 2), draw.f(2, 3)])


# what TensorFlow's seeds give; an eager kernel goes on where it was, a session begins anew
DRAWING = ("RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt")


@template(*DRAWING)
def _random(draw: Draw, op: str) -> Call:
    seeds = {"seed": draw.n(0, 9), "seed2": draw.n(1, 10**6)}
    shape = known(*draw.shape(), dtype=draw.pick(np.int32, np.int64))
    if op.endswith("Int"):
        low = draw.n(-9, 9)
        return Call(op, [shape, np.int32(low), np.int32(low + draw.n(1, 99))], seeds)
    return Call(op, [shape], seeds | {"dtype": draw.float_type})


@template(*(f"Stateless{kind}{version}" for version in ("", "V2") for kind in (
    "RandomUniform", "RandomNormal", "TruncatedNormal", "RandomUniformInt",
    "RandomUniformFullInt")))
def _stateless(draw: Draw, op: str) -> Call:
    words = lambda n, dtype: Known(draw.rng.integers(0, 2**31, n).astype(dtype))  # noqa: E731
    inputs: list[Any] = [known(*draw.shape())]
    inputs += ([words(1, np.uint64), words(2, np.uint64), Known(np.int32(draw.pick(1, 3)))]
               if op.endswith("V2") else [words(2, draw.pick(np.int32, np.int64))])
    if "FullInt" in op:
        return Call(op, inputs, {"dtype": draw.pick(np.int32, np.uint32)})
    if "Int" in op:
        low = draw.n(-9, 9)
        return Call(op, [*inputs, np.int32(low), np.int32(low + draw.n(1, 99))])
    return Call(op, inputs, {"dtype": draw.float_type})
