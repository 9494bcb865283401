"""Whole networks in flax nnx with random weights, at small sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx


class Residual(nnx.Module):
    """ResNet's bottleneck: 1×1, 3×3, 1×1 beside a shortcut."""

    def __init__(self, inside: int, width: int, stride: int, rngs: nnx.Rngs) -> None:
        self.convs = nnx.List([
            nnx.Conv(inside, width, (1, 1), use_bias=False, rngs=rngs),
            nnx.Conv(width, width, (3, 3), stride, use_bias=False, rngs=rngs),
            nnx.Conv(width, 4 * width, (1, 1), use_bias=False, rngs=rngs)])
        self.norms = nnx.List([nnx.BatchNorm(n, rngs=rngs) for n in (width, width, 4 * width)])
        self.shortcut = nnx.Conv(inside, 4 * width, (1, 1), stride, use_bias=False, rngs=rngs)
        self.projects = stride != 1 or inside != 4 * width

    def __call__(self, x: Any) -> Any:
        y = x
        for at, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = norm(conv(y))
            y = nnx.relu(y) if at < 2 else y
        return nnx.relu(y + (self.shortcut(x) if self.projects else x))


class ResNet50(nnx.Module):
    """50 layers: 3, 4, 6 and 3 bottlenecks; `width` 64 is the published one."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.stem = nnx.Conv(3, width, (7, 7), 2, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        blocks, inside = [], width
        for stage, count in enumerate((3, 4, 6, 3)):
            for at in range(count):
                stride = 2 if at == 0 and stage else 1
                blocks.append(Residual(inside, width << stage, stride, rngs))
                inside = 4 * (width << stage)
        self.blocks, self.head = nnx.List(blocks), nnx.Linear(inside, 10, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.max_pool(nnx.relu(self.norm(self.stem(x))), (3, 3), (2, 2), "SAME")
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((1, 2)))


class Inverted(nnx.Module):
    """MobileNetV2's inverted residual: widen, depthwise, narrow."""

    def __init__(self, inside: int, out: int, stride: int, widen: int, rngs: nnx.Rngs) -> None:
        wide = inside * widen
        self.expand = nnx.Conv(inside, wide, (1, 1), use_bias=False, rngs=rngs)
        self.depth = nnx.Conv(wide, wide, (3, 3), stride, feature_group_count=wide,
                              use_bias=False, rngs=rngs)
        self.project = nnx.Conv(wide, out, (1, 1), use_bias=False, rngs=rngs)
        self.norms = nnx.List([nnx.BatchNorm(n, rngs=rngs) for n in (wide, wide, out)])
        self.adds = stride == 1 and inside == out

    def __call__(self, x: Any) -> Any:
        y = nnx.relu6(self.norms[0](self.expand(x)))
        y = nnx.relu6(self.norms[1](self.depth(y)))
        y = self.norms[2](self.project(y))
        return x + y if self.adds else y


class MobileNetV2(nnx.Module):
    """The published table of blocks."""

    TABLE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
             (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self, divide: int, rngs: nnx.Rngs) -> None:
        inside = 32 // divide
        self.stem = nnx.Conv(3, inside, (3, 3), 2, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(inside, rngs=rngs)
        blocks = []
        for widen, channels, count, stride in self.TABLE:
            for at in range(count):
                blocks.append(Inverted(inside, channels // divide, stride if at == 0 else 1, widen,
                                       rngs))
                inside = channels // divide
        self.blocks, self.head = nnx.List(blocks), nnx.Linear(inside, 10, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.relu6(self.norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((1, 2)))


class Layer(nnx.Module):
    """A transformer layer, the norm before."""

    def __init__(self, width: int, heads: int, rngs: nnx.Rngs) -> None:
        self.norm1, self.norm2 = nnx.LayerNorm(width, rngs=rngs), nnx.LayerNorm(width, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, width, decode=False, rngs=rngs)
        self.up, self.down = (nnx.Linear(width, 4 * width, rngs=rngs),
                              nnx.Linear(4 * width, width, rngs=rngs))

    def __call__(self, x: Any, mask: Any = None) -> Any:
        x = x + self.attention(self.norm1(x), mask=mask)
        return x + self.down(nnx.gelu(self.up(self.norm2(x))))


class ViT(nnx.Module):
    """ViT-S's shape: 12 layers, 6 heads; `width` 384 is the published one."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.patches = nnx.Conv(3, width, (8, 8), 8, padding="VALID", rngs=rngs)
        self.token = nnx.Param(jnp.zeros((1, 1, width)))
        self.positions = nnx.Param(nnx.initializers.normal()(rngs.params(), (1, 17, width)))
        self.layers = nnx.List([Layer(width, 6, rngs) for _ in range(12)])
        self.norm, self.head = nnx.LayerNorm(width, rngs=rngs), nnx.Linear(width, 10, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = self.patches(x)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        token = jnp.broadcast_to(self.token[...], (x.shape[0], 1, x.shape[-1]))
        x = jnp.concatenate([token, x], 1) + self.positions[...]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x)[:, 0])


class Decoder(nnx.Module):
    """GPT-2's shape: 12 layers, 12 heads, tied embedding; `width` 768 is the published one."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(50, width, rngs=rngs)
        self.positions = nnx.Embed(16, width, rngs=rngs)
        self.layers = nnx.List([Layer(width, 12, rngs) for _ in range(12)])
        self.norm = nnx.LayerNorm(width, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        x = self.embed(tokens) + self.positions(jnp.arange(tokens.shape[1]))
        mask = nnx.make_causal_mask(tokens)
        for layer in self.layers:
            x = layer(x, mask)
        return self.embed.attend(self.norm(x))


class Recurrent(nnx.Module):
    """Two LSTM layers over embedded tokens."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.embed, self.head = nnx.Embed(20, width, rngs=rngs), nnx.Linear(width, 5, rngs=rngs)
        self.layers = nnx.List([nnx.RNN(nnx.OptimizedLSTMCell(width, width, rngs=rngs), rngs=rngs)
                                for _ in range(2)])

    def __call__(self, tokens: Any) -> Any:
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.head(x[:, -1])


class UNet(nnx.Module):
    """Three levels down and up, with skips and transposed convolutions."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        sizes = [width, 2 * width, 4 * width]
        inside = [3, *sizes[:-1]]
        self.down = nnx.List([nnx.Conv(a, c, (3, 3), rngs=rngs)
                              for a, c in zip(inside, sizes, strict=True)])
        self.up = nnx.List([nnx.ConvTranspose(2 * c, c, (2, 2), (2, 2), rngs=rngs)
                            for c in sizes[:-1]])
        self.join = nnx.List([nnx.Conv(2 * c, c, (3, 3), rngs=rngs) for c in sizes[:-1]])
        self.head = nnx.Conv(width, 2, (1, 1), rngs=rngs)

    def __call__(self, x: Any) -> Any:
        skips = []
        for at, conv in enumerate(self.down):
            x = nnx.relu(conv(x))
            if at < 2:
                skips.append(x)
                x = nnx.max_pool(x, (2, 2), (2, 2))
        for at in (1, 0):
            x = jnp.concatenate([self.up[at](x), skips[at]], -1)
            x = nnx.relu(self.join[at](x))
        return self.head(x)


IMAGE, TOKENS = ((None, 32, 32, 3), "float32"), ((None, 12), "int32")
# name: how it is built, its input
NETWORKS: dict[str, tuple[Callable[[nnx.Rngs], nnx.Module], tuple[Any, str]]] = {
    "resnet50": (lambda rngs: ResNet50(8, rngs), IMAGE),
    "mobilenet_v2": (lambda rngs: MobileNetV2(4, rngs), IMAGE),
    "vit_s": (lambda rngs: ViT(48, rngs), IMAGE),
    "gpt2": (lambda rngs: Decoder(48, rngs), TOKENS),
    "lstm": (lambda rngs: Recurrent(16, rngs), TOKENS),
    "unet": (lambda rngs: UNet(8, rngs), IMAGE),
}
