"""Pictures, volumes and sounds: resampled by a kernel, cut, and turned in colour."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from call_judge import assert_calls_agree
from op_templates import Call, Known

RNG = np.random.default_rng(11)
PICTURES = RNG.normal(size=(2, 6, 7, 3)).astype(np.float32) * 2
SOUND = RNG.normal(size=(700, 2)).astype(np.float32)
SIZE = Known(np.array([4, 9], np.int32))
SCALE, MOVE = (Known(np.array(each, np.float32)) for each in ([0.7, 1.4], [0.3, -0.5]))
BOXES = np.array([[0, 0, 1, 1], [0.2, 0.9, 0.7, 0.1]], np.float32)

CALLS = [
    *(Call("ScaleAndTranslate", [PICTURES, SIZE, SCALE, MOVE],
           {"kernel_type": kernel, "antialias": smooth})
      for kernel in ("lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic",
                     "mitchellcubic") for smooth in (True, False)),
    Call("ExtractVolumePatches", [RNG.normal(size=(1, 4, 5, 6, 2)).astype(np.float32)],
         {"ksizes": [1, 2, 3, 2, 1], "strides": [1, 2, 1, 2, 1], "padding": "SAME"}),
    Call("CropAndResize", [PICTURES, BOXES, Known(np.array([1, 0], np.int32)),
                           Known(np.array([5, 3], np.int32))], {"method": "bilinear"}),
]
FORWARD = [
    *(Call("AdjustHue", [PICTURES, np.float32(delta)]) for delta in (0.0, 0.3, -0.9)),
    Call("AdjustHue", [np.zeros((1, 2, 3), np.float32), np.float32(0.4)]),
    Call("CropAndResize", [PICTURES, BOXES, Known(np.array([1, 0], np.int32)),
                           Known(np.array([5, 3], np.int32))], {"method": "nearest"}),
    *(Call("AudioSpectrogram", [SOUND], {"window_size": size, "stride": stride,
                                         "magnitude_squared": squared})
      for size, stride, squared in ((128, 64, True), (100, 130, False))),
    Call("Mfcc", [np.abs(RNG.normal(size=(2, 5, 129))).astype(np.float32),
                  Known(np.array(8000, np.int32))],
         {"upper_frequency_limit": 3500.0, "filterbank_channel_count": 20}),
]


def test_what_is_resampled_agrees_with_its_gradients(tf: ModuleType) -> None:
    assert_calls_agree(tf, CALLS, tolerance=2e-5)


def test_colours_and_sounds_agree(tf: ModuleType) -> None:
    assert_calls_agree(tf, FORWARD, gradient=False, tolerance=1e-4)
