"""Whole networks of keras.applications, frozen by TensorFlow with random weights.

`JAXFROST_CASES=100` and more runs all of them, else the two that take least.
"""

from __future__ import annotations

import os
from types import ModuleType

import numpy as np
import pytest
from execution_judge import ours, relative_error, run_in_tensorflow

from pipeline import execution

QUICK = ["MobileNet", "MobileNetV2"]
LONG = ["ResNet50V2", "MobileNetV3Small", "ResNet50", "InceptionV3", "EfficientNetB0",
        "DenseNet121", "Xception", "VGG16", "ConvNeXtTiny", "NASNetMobile", "EfficientNetV2B0"]
NAMES = QUICK + (LONG if int(os.environ.get("JAXFROST_CASES", "0")) >= 100 else [])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_application_agrees_before_its_softmax(tf: ModuleType, name: str) -> None:
    from tensorflow.python.framework import convert_to_constants

    size = 96 if name in QUICK else 224
    tf.keras.utils.set_random_seed(0)
    model = getattr(tf.keras.applications, name)(
        weights=None, input_shape=(size, size, 3), classifier_activation=None)
    call = tf.function(lambda x: model(x, training=False))
    traced = call.get_concrete_function(tf.TensorSpec([None, size, size, 3], tf.float32))
    frozen = convert_to_constants.convert_variables_to_constants_v2(traced)
    graph_def = frozen.graph.as_graph_def()
    pictures = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype(np.float32) * 50
    names = frozen.inputs[0].name, frozen.outputs[0].name
    (expected,) = run_in_tensorflow(tf.compat.v1, graph_def, [names[1]], {names[0]: pictures})
    f = execution.function(ours(graph_def), [names[0]], [names[1]])
    assert relative_error(f(pictures)[0], expected) <= 1e-5
