"""What `conf/model/*.yaml` may hold: a model as named variable scopes, or a module of the user's.

A scope's key is its name everywhere: the override path `model.scopes.layer1.units`, the variables
`layer1/weights`, the checkpoint's keys and the graph's nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from pipeline.config.consent import CodeName
from pipeline.config.roles import Number

Positive: TypeAlias = Annotated[int, Field(gt=0)]
Pair: TypeAlias = Positive | Annotated[list[Positive], Field(min_length=2, max_length=2)]
Rate: TypeAlias = Annotated[float, Field(ge=0.0, lt=1.0)]
# One segment of a name: a slash would hide a scope from the override path, and so would a dot.
ScopeName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Padding: TypeAlias = Literal["SAME", "VALID"]
DType: TypeAlias = Literal["float32", "float64", "bfloat16", "float16"]
Activation: TypeAlias = Literal[
    "identity", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "sigmoid", "tanh",
    "softplus", "softsign", "swish",
]


@dataclass
class InitializerConfig:
    """How a variable begins. Only the parameters of its kind may be given."""

    kind: Literal[
        "constant", "zeros", "ones", "truncated_normal", "random_normal", "random_uniform",
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "orthogonal",
    ]
    value: float | None = None     # constant: 0
    mean: float | None = None      # truncated_normal, random_normal: 0
    stddev: float | None = None    # truncated_normal, random_normal: 1
    minval: float | None = None    # random_uniform: 0
    maxval: float | None = None    # random_uniform: 1
    gain: float | None = None      # orthogonal: 1


@dataclass
class RegularizerConfig:
    """A penalty on a variable, added to the loss: `scale · Σ|w|` or `scale · Σw²/2` as in TF1."""

    kind: Literal["l1", "l2", "none"]
    scale: Annotated[float, Field(ge=0.0), Number] = 0.0


@dataclass(kw_only=True)
class Defaults:
    """What a scope hands down to every scope below it, as `variable_scope` does."""

    initializer: InitializerConfig | None = None   # of weights
    regularizer: RegularizerConfig | None = None   # of weights; biases have their own, or none
    dtype: DType | None = None                     # of variables, and of the arithmetic on them


@dataclass(kw_only=True)
class Variables(Defaults):
    """A layer with `weights` and `biases`: its own, or another scope's with `reuse: that/scope`."""

    reuse: str | None = None       # the full name of a scope above, encoder/layer1
    use_bias: bool = True
    bias_initializer: InitializerConfig | None = None  # zeros
    bias_regularizer: RegularizerConfig | None = None  # none, whatever is handed down
    activation: Activation = "identity"


@dataclass(kw_only=True)
class Dense(Variables):
    """`weights` [in, units] and `biases` [units]; input of higher rank is flattened first."""

    kind: Literal["dense"]
    units: Positive | None = None  # null, of a model's last layer alone: the number of classes


@dataclass(kw_only=True)
class Conv(Variables):
    """`weights` [height, width, in, filters] and `biases` [filters] over NHWC images."""

    kind: Literal["conv"]
    filters: Positive
    kernel_size: Pair = 3
    strides: Pair = 1
    padding: Padding = "SAME"


@dataclass(kw_only=True)
class BatchNorm:
    """`gamma`, `beta`, `moving_mean`, `moving_variance` over the last axis; never regularized."""

    kind: Literal["batch_norm"]
    decay: Rate = 0.99
    epsilon: Annotated[float, Field(gt=0.0)] = 1e-3
    activation: Activation = "identity"
    reuse: str | None = None


@dataclass(kw_only=True)
class Dropout:
    """Drops a fraction `rate` of the activations while training."""

    kind: Literal["dropout"]
    rate: Rate


@dataclass(kw_only=True)
class Pool:
    """Max or average pooling over NHWC images; SAME averages count only real pixels, as TF does."""

    kind: Literal["max_pool", "avg_pool"]
    size: Pair = 2
    strides: Pair | None = None    # the window's size when not given
    padding: Padding = "VALID"


@dataclass(kw_only=True)
class GlobalPool:
    """The mean over height and width: NHWC → [batch, channels]."""

    kind: Literal["global_avg_pool"]


@dataclass(kw_only=True)
class Flatten:
    """All axes but the batch become one."""

    kind: Literal["flatten"]


@dataclass(kw_only=True)
class Activate:
    """An activation alone."""

    kind: Literal["activation"]
    function: Activation


@dataclass(kw_only=True)
class Nested(Defaults):
    """A scope of scopes: `encoder: {kind: scope, scopes: {…}}` names `encoder/layer1/weights`."""

    kind: Literal["scope"]
    scopes: dict[ScopeName, ScopeConfig]
    reuse: str | None = None       # the full name of a scope above, whose variables it shares
    residual: bool = False         # adds the scope's input to its output


ScopeConfig: TypeAlias = Annotated[
    Dense | Conv | BatchNorm | Dropout | Pool | GlobalPool | Flatten | Activate | Nested,
    Field(discriminator="kind"),
]


@dataclass
class ModelConfig(Defaults):
    """A network: `scopes`, or `module`, a flax nnx module by import path, or `path`, a graph."""

    name: str = "model"
    # of one example: the data's own, in one axis or as an image, or sizes that hold as many numbers
    input_shape: Literal["flat", "image"] | list[Positive] = "flat"
    scopes: dict[ScopeName, ScopeConfig] = field(default_factory=dict)
    module: CodeName | None = None  # package.module.Class, called with (**arguments, rngs=…)
    arguments: dict[str, Any] = field(default_factory=dict)
    path: str | None = None        # of a frozen graph, a SavedModel or a .meta
    trainable: str | list[str] = "*"   # what of a graph is trained: full names or patterns
    input: str | None = None       # a graph's tensor, node or signature's key; null: guessed
    logits: str | None = None
    given: dict[str, Any] = field(default_factory=dict)  # of a graph: values fed besides images
    # what a graph takes black and white for; whole numbers are always 0..255
    pixel_range: Annotated[list[float], Field(min_length=2, max_length=2)] = field(
        default_factory=lambda: [0.0, 1.0])
