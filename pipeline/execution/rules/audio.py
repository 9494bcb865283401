"""Spectrograms and mel-frequency cepstral coefficients, as speech models are fed with.

Sources: tensorflow/core/kernels/spectrogram.cc, mfcc.cc, mfcc_mel_filterbank.cc, mfcc_dct.cc.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax

_FLOOR = 1e-12    # mfcc.cc, kFilterbankFloor


@rule("AudioSpectrogram", attrs="window_size stride magnitude_squared")
def _spectrogram(node: Node, samples: Any) -> Any:
    """Samples [time, channels] → [channels, windows, frequencies]; a periodic Hann window."""
    samples = to_jax(samples)
    size, stride = node["window_size"], node["stride"]
    count = max(0, 1 + (samples.shape[0] - size) // stride)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    places = np.arange(count)[:, None] * stride + np.arange(size)
    length = 1 << max(size - 1, 1).bit_length()
    frames = samples.T[:, places] * window.astype(np.float32)
    found = jnp.square(jnp.abs(jnp.fft.rfft(frames, length, axis=-1)))
    return (found if node["magnitude_squared"] else jnp.sqrt(found)).astype(jnp.float32)


@rule("Mfcc", static=(1,), attrs="upper_frequency_limit lower_frequency_limit "
                                 "filterbank_channel_count dct_coefficient_count")
def _mfcc(node: Node, spectrogram: Any, rate: Any) -> Any:
    """Spectrogram [channels, windows, frequencies] → [channels, windows, coefficients]."""
    spectrogram, channels = to_jax(spectrogram), node["filterbank_channel_count"]
    weights = _mel_weights(spectrogram.shape[-1], float(np.ravel(rate)[0]), channels,
                           node["lower_frequency_limit"], node["upper_frequency_limit"])
    energies = jnp.sqrt(spectrogram) @ weights.astype(np.float32)
    orders = np.arange(node["dct_coefficient_count"])[:, None]
    cosines = np.sqrt(2 / channels) * np.cos(
        orders * np.pi / channels * (np.arange(channels) + 0.5))
    return jnp.log(jnp.maximum(energies, _FLOOR)) @ cosines.T.astype(np.float32)


def _mel(frequency: Any) -> Any:
    return 1127 * np.log1p(frequency / 700)


def _mel_weights(bins: int, rate: float, channels: int, lower: float, upper: float) -> Any:
    """How much of each frequency [bins] each of the overlapping triangles [channels] takes."""
    if not 0 <= lower < upper or rate <= 0:
        raise ExecutionError(f"frequencies from {lower} to {upper} at a rate of {rate}")
    low, spacing = _mel(lower), (_mel(upper) - _mel(lower)) / (channels + 1)
    centers = low + spacing * np.arange(1, channels + 2)
    width = 0.5 * rate / (bins - 1)
    first, last = int(1.5 + lower / width), int(upper / width)
    weights = np.zeros((bins, channels))
    for place in range(first, min(last, bins - 1) + 1):
        mel = _mel(place * width)
        channel = min(int(np.searchsorted(centers, mel)), channels) - 1
        begin = centers[channel] if channel >= 0 else low
        share = (centers[channel + 1] - mel) / (centers[channel + 1] - begin)
        if channel >= 0:
            weights[place, channel] += share
        if channel + 1 < channels:
            weights[place, channel + 1] += 1 - share
    return weights
