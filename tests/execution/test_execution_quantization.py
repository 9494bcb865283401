"""Fake quantization: exact to the step, also where a value lies between two, and its gradients."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from call_judge import assert_calls_agree
from op_templates import Call

RANGES = [(-1, 1), (0, 6), (-6, 6), (-0.2, 0.05), (0.5, 1), (-3, -1), (0, 0)]
STRANGE = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 3e38], np.float32)


def between_steps(low: float, high: float, bits: int, count: int = 300) -> np.ndarray:
    """Values on steps of the range and half way between two, some of them outside."""
    step = (high - low) / (2**bits - 1)
    places = (np.arange(count) * 7919) % (2 ** (bits + 1) + 9) - 4
    return np.append(low + places * step / 2, STRANGE).astype(np.float32)


def of_range(low: float, high: float) -> list[Call]:
    made = []
    ends = [np.float32(low), np.float32(high)]
    for bits, narrow in ((2, True), (8, False), (8, True), (12, False)):
        attrs: dict[str, Any] = {"num_bits": bits, "narrow_range": narrow}
        x = between_steps(low, high, bits)
        slopes = np.sin(np.arange(x.size, dtype=np.float32))
        pairs = np.stack([x, x / 2], -1)
        made += [
            Call("FakeQuantWithMinMaxVars", [x, *ends], attrs),
            Call("FakeQuantWithMinMaxVarsGradient", [slopes, x, *ends], attrs, 3),
            Call("FakeQuantWithMinMaxVarsPerChannel", [
                pairs, *(np.array([end, end / 3], np.float32) for end in ends)], attrs)]
        if low <= 0 <= high and low < high:
            limits = {"min": float(low), "max": float(high)}
            made += [Call("FakeQuantWithMinMaxArgs", [x], attrs | limits),
                     Call("FakeQuantWithMinMaxArgsGradient", [slopes, x], attrs | limits)]
    return made


def round_trips(low: float, high: float) -> list[Call]:
    made = []
    ends = [np.float32(low), np.float32(high)]
    for bits, narrow, signed, given, mode in (
            (8, False, True, True, "HALF_TO_EVEN"), (8, True, True, True, "HALF_UP"),
            (4, False, False, True, "HALF_UP"), (8, True, True, False, "HALF_TO_EVEN")):
        x = between_steps(low, high, bits)
        x = x if given else x[np.isfinite(x)]
        attrs = {"num_bits": bits, "narrow_range": narrow, "signed_input": signed,
                 "range_given": given, "round_mode": mode}
        made += [Call("QuantizeAndDequantizeV2", [x, *ends], attrs)]
        made += [Call("QuantizeAndDequantizeV4", [x, *ends], attrs)] if given else []
    return made


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_fake_quantization_is_exact_to_the_step(tf: ModuleType, low: float, high: float) -> None:
    calls = of_range(low, high)
    forward = [call for call in calls if not call.op.endswith("Gradient")]
    assert_calls_agree(tf, forward, tolerance=5e-7)
    assert_calls_agree(tf, [call for call in calls if call.op.endswith("Gradient")],
                       gradient=False, tolerance=2e-6)


@pytest.mark.parametrize(("low", "high"), RANGES[:5])
def test_rounding_and_back_is_exact_to_the_step(tf: ModuleType, low: float, high: float) -> None:
    assert_calls_agree(tf, round_trips(low, high), tolerance=5e-7)
