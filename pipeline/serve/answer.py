"""What both models say of one digit."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.report.pictures import data_uri
from pipeline.serve.errors import Refusal
from pipeline.serve.subject import Subject


def answer(subject: Subject, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """The probabilities of each class by each model, as JSON data.

    Args:
        subject: the run.
        pixels: one example, as the run's data are: uint8 [28, 28] of ink, or [height, width,
            channels].

    Returns:
        `pixels` as a picture's data URI; `models`, each with `name`, `source`, `label`, the
        `class` of that label, and `probabilities`; and the `largest_difference` between the two.

    Raises:
        Refusal: a probability is not finite.
    """
    said = [voice.ask(pixels[None])[0] for voice in subject.voices]
    if not np.isfinite(said).all():
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY,
                      "the model's probabilities are not finite: it diverged in training")
    return {
        "pixels": data_uri(pixels),
        "models": [
            {"name": voice.name, "source": voice.source, "label": int(row.argmax()),
             "class": subject.description.classes[int(row.argmax())],
             "probabilities": row.tolist()}
            for voice, row in zip(subject.voices, said, strict=True)
        ],
        "largest_difference": float(np.abs(said[0] - said[1]).max()),
    }
