"""Every public layer of flax nnx in its inference form, and models of other libraries."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from case import BATCH, Arg, Case
from flax import linen, nnx

from pipeline.lowering import from_nnx

X, SEQUENCE, IMAGE = Arg((BATCH, 6)), Arg((BATCH, 5, 6)), Arg((BATCH, 7, 8, 4))


def randomised(module: nnx.Module, method: Any) -> Any:
    """The module in its inference form, with every array drawn anew, variances positive."""
    module.eval()
    random = np.random.default_rng(0)
    function, variables = from_nnx(module, method)
    drawn = {}
    for name, value in variables.items():
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = random.normal(size=array.shape) / np.sqrt(max(array.shape[-1:] or (1,)))
            array = np.abs(array) + 0.5 if name.endswith("var") else array
        drawn[name] = array.astype(value.dtype)
    return function, drawn


def layer(name: str, module: nnx.Module, *args: Arg, case: str = "default",
          tolerance: float = 1e-5, method: Any = None,
          batches: tuple[int, ...] = (3, 1, 0)) -> Case:
    """A module called with these inputs, or as `method(module, …)` says."""
    function, variables = randomised(module, method)
    return Case(f"nnx.{name}", case, function, args,
                variables or {"unused": np.zeros((), np.float32)}, tolerance=tolerance,
                batches=batches)


R = nnx.Rngs(0)
NNX = [
    layer("Linear", nnx.Linear(6, 4, rngs=R), X),
    layer("Linear", nnx.Linear(6, 4, use_bias=False, rngs=R), X, case="no bias"),
    layer("Linear", nnx.Linear(6, 4, rngs=R), SEQUENCE, case="sequence"),
    layer("Linear", nnx.Linear(6, 4, dtype=jnp.bfloat16, rngs=R), X, case="bfloat16",
          tolerance=2e-2),
    layer("LinearGeneral", nnx.LinearGeneral(6, (2, 3), rngs=R), SEQUENCE),
    layer("LinearGeneral", nnx.LinearGeneral((5, 6), 3, axis=(-2, -1), rngs=R), SEQUENCE,
          case="two axes"),
    layer("Einsum", nnx.Einsum("bti,ij->btj", (6, 3), (3,), rngs=R), SEQUENCE),
    layer("Embed", nnx.Embed(7, 5, rngs=R), Arg((BATCH, 4), "int32", 0, 6)),
    layer("Embed", nnx.Embed(7, 5, rngs=R), Arg((BATCH, 4), "int32", -9, 9), case="beyond"),
    *(layer("Conv", nnx.Conv(4, 5, (3, 3), strides=strides, padding=padding, rngs=R), IMAGE,
            case=f"{padding} {strides}")
      for strides in (1, 2) for padding in ("SAME", "VALID")),
    layer("Conv", nnx.Conv(4, 5, (3, 3), padding="CIRCULAR", rngs=R), IMAGE, case="circular"),
    layer("Conv", nnx.Conv(4, 5, (3, 3), padding="REFLECT", rngs=R), IMAGE, case="reflect"),
    layer("Conv", nnx.Conv(4, 4, (3, 3), feature_group_count=4, rngs=R), IMAGE, case="depthwise"),
    layer("Conv", nnx.Conv(4, 6, (3, 3), feature_group_count=2, rngs=R), IMAGE, case="groups"),
    layer("Conv", nnx.Conv(4, 5, (3, 3), kernel_dilation=2, rngs=R), IMAGE, case="dilated"),
    layer("Conv", nnx.Conv(6, 5, 3, padding="CAUSAL", rngs=R), SEQUENCE, case="1d causal"),
    layer("ConvTranspose", nnx.ConvTranspose(4, 3, (3, 3), strides=2, rngs=R), IMAGE),
    layer("ConvTranspose", nnx.ConvTranspose(4, 3, (2, 2), strides=(2, 2), padding="VALID", rngs=R),
          IMAGE, case="VALID"),
    layer("ConvTranspose", nnx.ConvTranspose(4, 3, (3, 3), strides=(2, 2), padding="CIRCULAR",
                                             rngs=R), IMAGE, case="circular", batches=(3, 1)),
    layer("BatchNorm", nnx.BatchNorm(4, rngs=R), IMAGE),
    layer("BatchNorm", nnx.BatchNorm(6, rngs=R), X, case="vector"),
    layer("BatchNorm", nnx.BatchNorm(4, use_bias=False, use_scale=False, rngs=R), IMAGE,
          case="plain"),
    layer("LayerNorm", nnx.LayerNorm(6, rngs=R), SEQUENCE),
    layer("LayerNorm", nnx.LayerNorm(6, use_fast_variance=False, use_bias=False, rngs=R), SEQUENCE,
          case="slow"),
    layer("RMSNorm", nnx.RMSNorm(6, rngs=R), SEQUENCE),
    layer("GroupNorm", nnx.GroupNorm(4, num_groups=2, rngs=R), IMAGE, tolerance=2e-5),
    layer("InstanceNorm", nnx.InstanceNorm(4, rngs=R), IMAGE, tolerance=2e-5),
    layer("Dropout", nnx.Dropout(0.5, rngs=R), X),
    layer("MultiHeadAttention", nnx.MultiHeadAttention(2, 6, decode=False, rngs=R), SEQUENCE),
    layer("MultiHeadAttention", nnx.MultiHeadAttention(2, 6, decode=False, rngs=R), SEQUENCE,
          case="causal", method=lambda m, x: m(x, mask=nnx.make_causal_mask(x[..., 0]))),
    layer("MultiHeadAttention", nnx.MultiHeadAttention(
        2, 6, decode=False, normalize_qk=True, rngs=R), SEQUENCE, case="normalised"),
    layer("LoRA", nnx.LoRA(6, 2, 4, rngs=R), X),
    layer("LoRALinear", nnx.LoRALinear(6, 4, lora_rank=2, rngs=R), X),
    layer("PReLU", nnx.PReLU(), X),
    layer("Sequential", nnx.Sequential(nnx.Linear(6, 4, rngs=R), nnx.relu,
                                       nnx.Linear(4, 3, rngs=R)), X),
    layer("SpectralNorm", nnx.SpectralNorm(nnx.Linear(6, 4, rngs=R), rngs=R), X, tolerance=1e-4),
    layer("WeightNorm", nnx.WeightNorm(nnx.Linear(6, 4, rngs=R), rngs=R), X),
    *(layer(name, nnx.RNN(kind(6, 4, rngs=R), rngs=R), SEQUENCE) for name, kind in (
        ("LSTMCell", nnx.LSTMCell), ("OptimizedLSTMCell", nnx.OptimizedLSTMCell),
        ("GRUCell", nnx.GRUCell), ("SimpleCell", nnx.SimpleCell))),
    layer("RNN", nnx.RNN(nnx.GRUCell(6, 4, rngs=R), reverse=True, keep_order=True, rngs=R),
          SEQUENCE, case="reverse"),
    layer("RNN", nnx.RNN(nnx.GRUCell(6, 4, rngs=R), return_carry=True, rngs=R), SEQUENCE,
          case="carry"),
    layer("RNN", nnx.RNN(nnx.LSTMCell(6, 4, rngs=R), rngs=R), SEQUENCE,
          Arg((BATCH,), "int32", 1, 5), case="lengths",
          method=lambda m, x, n: m(x, seq_lengths=n)),
    layer("Bidirectional", nnx.Bidirectional(
        nnx.RNN(nnx.LSTMCell(6, 4, rngs=R), rngs=R), nnx.RNN(nnx.LSTMCell(6, 4, rngs=R), rngs=R),
        rngs=R), SEQUENCE),
    *(Case(f"nnx.{name}", "default", getattr(nnx, name), (X,))
      for name in ("celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_tanh",
                   "leaky_relu", "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid",
                   "silu", "soft_sign", "softmax", "softplus", "standardize", "tanh")),
    Case("nnx.dot_product_attention", "masked", lambda q, k, v, x: nnx.dot_product_attention(
        q, k, v, mask=nnx.make_causal_mask(x)),
         (*[Arg((BATCH, 5, 2, 4))] * 3, Arg((BATCH, 5)))),
    Case("nnx.make_causal_mask", "default", nnx.make_causal_mask, (Arg((BATCH, 5)),)),
    Case("nnx.make_attention_mask", "padding", lambda x, y: nnx.make_attention_mask(x > 0, y > 0),
         (Arg((BATCH, 5)), Arg((BATCH, 4)))),
    Case("nnx.combine_masks", "two", nnx.combine_masks,
         (Arg((BATCH, 5), "bool"), Arg((BATCH, 5), "bool"))),
    Case("nnx.max_pool", "default", lambda x: nnx.max_pool(x, (2, 2), (2, 2)), (IMAGE,)),
    Case("nnx.avg_pool", "default", lambda x: nnx.avg_pool(x, (2, 2), (2, 2)), (IMAGE,)),
    Case("nnx.min_pool", "default", lambda x: nnx.min_pool(x, (2, 2), (2, 2)), (IMAGE,)),
    Case("nnx.pool", "own", lambda x: nnx.pool(x, 0.0, jax.lax.add, (2, 2), (2, 2), "SAME"),
         (IMAGE,)),
]


class Block(linen.Module):
    """A few Linen layers."""

    @linen.compact
    def __call__(self, x: Any) -> Any:
        x = linen.Conv(4, (3, 3))(x)
        x = linen.relu(linen.BatchNorm(use_running_average=True)(x))
        x = linen.avg_pool(x, (2, 2), (2, 2)).reshape(x.shape[0], -1)
        return linen.Dense(3)(linen.LayerNorm()(x))


LINEN_MODULE = Block()
LINEN_VARIABLES = jax.tree_util.tree_map(np.asarray, LINEN_MODULE.init(
    jax.random.PRNGKey(0), np.zeros((1, 7, 8, 4), np.float32)))
LINEN = [Case("linen", "block", LINEN_MODULE.apply, (IMAGE,), LINEN_VARIABLES, batches=(3, 1))]

CASES = [*NNX, *LINEN]
