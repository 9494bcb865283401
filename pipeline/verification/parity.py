"""Parity: what is read back from an artefact computes what the native model computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.persistence import TargetConfig, VerificationConfig
from pipeline.errors import IntegrityError, PipelineError
from pipeline.logs import errors_only
from pipeline.model import Network, Variables, predict_logits
from pipeline.persistence import KINDS, Artifact, Trained


class VerificationError(IntegrityError):
    """An artefact does not agree with the model it came from."""


@dataclass(frozen=True)
class Parity:
    """How far an artefact's logits are from the native model's.

    `max_relative` is the largest difference over the largest native logit in magnitude.
    """

    artifact: str
    max_absolute: float
    max_relative: float
    agrees: bool
    detail: str


def verify(
    trained: Trained,
    targets: Mapping[str, TargetConfig],
    artifacts: Sequence[Artifact],
    pixels: NDArray[np.uint8],
    config: VerificationConfig,
) -> list[Parity]:
    """Reads every artefact back from disk and runs it on the first examples of `pixels`.

    What cannot be read back disagrees, like what computes something else.

    Args:
        trained: the native model, as it was persisted.
        targets: what was asked for, by name.
        artifacts: what was written.
        pixels: uint8 [n, 28, 28]; the first `config.examples` are used, or all.
        config: tolerances.
    """
    batch = pixels[: config.examples]
    parities, natives = [], _Natives(trained.network, batch)
    for artifact in artifacts:
        read = KINDS[artifact.kind].readings
        try:
            # A Saver tells of each restore; what comes of these stands in the summary.
            with errors_only("pipeline.checkpoint"):
                for reading in read(targets[artifact.target], artifact, trained, batch):
                    native = natives.logits(reading.variables)
                    parities.append(compare(reading.name, native, reading.logits, config))
        except PipelineError as error:
            parities.append(_disagreeing(artifact.target, f"cannot be read back: {error}"))
    return parities


class _Natives:
    """The native model's logits, once for each set of variables that artefacts hold."""

    def __init__(self, network: Network, pixels: NDArray[np.uint8]) -> None:
        self._network, self._pixels = network, pixels
        self._known: list[tuple[Variables, NDArray[np.float32]]] = []

    def logits(self, variables: Variables) -> NDArray[np.float32]:
        for known, logits in self._known:
            if known is variables:
                return logits
        self._known.append((variables, predict_logits(self._network, variables, self._pixels)))
        return self._known[-1][1]


def compare(
    name: str,
    native: NDArray[np.float32],
    found: NDArray[np.float32],
    config: VerificationConfig,
) -> Parity:
    """One artefact's logits against the native ones; anything not finite disagrees."""
    if found.shape != native.shape:
        return _disagreeing(name, f"logits of shape {found.shape}, expected {native.shape}")
    with np.errstate(invalid="ignore"):
        difference = np.abs(found.astype(np.float64) - native)
    absolute = float(difference.max(initial=0.0))
    scale = float(np.abs(native).max(initial=0.0))
    bound = config.absolute_tolerance + config.relative_tolerance * scale
    same_class = float((found.argmax(axis=1) == native.argmax(axis=1)).mean())
    detail = f"{len(native)} examples, same class on {100 * same_class:.2f} %"
    # Written so that NaN disagrees.
    agrees = absolute <= bound < np.inf
    return Parity(name, absolute, absolute / scale if scale else 0.0, agrees, detail)


def _disagreeing(name: str, detail: str) -> Parity:
    """An artefact whose logits can't even be compared."""
    return Parity(name, float("nan"), float("nan"), False, detail)


def require_parity(parities: Sequence[Parity]) -> None:
    """Raises VerificationError that names every artefact which disagrees."""
    failed = [parity for parity in parities if not parity.agrees]
    if failed:
        raise VerificationError("\n".join(
            f"artefact {parity.artifact}: differs from the native model by "
            f"{parity.max_absolute:.3g} ({parity.max_relative:.3g} of the largest logit); "
            f"{parity.detail}; the files are kept, but must not be used"
            for parity in failed
        ))
