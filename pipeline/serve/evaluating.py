"""The model on a whole split while other pages are answered: in a thread, with its progress."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from pipeline import evaluate, model
from pipeline.data import DataSet

_AT_ONCE = 500    # examples between two looks at whether the process ends


class Evaluating:
    """Begins when it is made; `done` of `examples` are behind it."""

    def __init__(self, network: model.Network, variables: model.Variables, split: DataSet) -> None:
        self.examples, self.done = split.num_examples, 0
        self._network, self._variables, self._split = network, variables, split
        self._found: evaluate.Evaluation | None = None
        self._error: Exception | None = None
        # Not a daemon: the interpreter must not go away under a running program.
        self._thread = threading.Thread(target=self._run, name="evaluation")
        self._thread.start()

    def is_finished(self, within: float) -> bool:
        """Whether it has ended, after at most so many seconds."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def result(self) -> evaluate.Evaluation:
        """What came of it, waited for.

        Raises:
            PipelineError: whatever the evaluation raised.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._found is not None, "only the end of the process ends it before its time"
        return self._found

    def _run(self) -> None:
        try:
            logits = self._logits()
            if self.done == self.examples:
                self._found = evaluate.score_logits(logits, self._split.digits)
        except Exception as error:       # told to whoever asks
            self._error = error

    def _logits(self) -> NDArray[np.float32]:
        parts = []
        while self.done < self.examples and threading.main_thread().is_alive():
            pixels = self._split.pixels[self.done:self.done + _AT_ONCE]
            parts.append(model.predict_logits(self._network, self._variables, pixels))
            self.done += len(pixels)
        return np.concatenate(parts)
