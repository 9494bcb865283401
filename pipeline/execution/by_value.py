"""Calls whose course depends on values that only running tells: compiled once for each course.

The first time a program runs op by op, and what it asks for on the way (the bounds of a slice, a
loop's rounds, a branch) is written down. When the same answers come again, the program is compiled
with them taken for granted; it gives what it asked for as well, so that a call sees whether its own
answers are those. If not, the first that differs leads to another compiled program, or op by op.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from pipeline.execution.deciding import Decisions
from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.values import Known

_MOST_COMPILED = 64
Answers = tuple[Known, ...]


class ManyValuesWarning(UserWarning):
    """A graph was compiled for so many values that it runs op by op for further ones."""


class ByValue:
    """A program by what it asks for while it runs.

    Args:
        apply: the program with decisions, uncompiled; gives what it asked for besides its result.

    Attributes:
        compilations: for how many different answers it was compiled.
    """

    def __init__(self, apply: Callable[..., tuple[Any, list[Any]]]) -> None:
        self._apply = apply
        self._compiled: dict[Answers, Any] = {}
        self._seen: set[Answers] = set()
        self._last: Answers | None = None

    @property
    def compilations(self) -> int:
        """For how many different answers it was compiled."""
        return len(self._compiled)

    def run(self, *arguments: Any) -> Any:
        """The result of a call.

        Raises:
            UnknownValue: a value that is asked for is not known though everything is fed, because
                the call stands inside `jax.jit`.
        """
        tried: set[Answers] = set()
        answers = self._last
        while answers is not None and answers not in tried:
            tried.add(answers)
            try:
                result, asked = self._compiled[answers](*arguments)
            except ExecutionError:    # these answers and these shapes do not go together
                break
            found = tuple(Known(each) for each in concrete(asked))
            if found == answers:
                self._last = answers
                return result
            answers = self._next(answers, found, tried)
        return self._op_by_op(*arguments)

    def _next(self, answers: Answers, found: Answers, tried: set[Answers]) -> Answers | None:
        """Other answers that agree with what was found, up to where `answers` did not."""
        place = next((index for index, pair in enumerate(zip(answers, found, strict=True))
                      if pair[0] != pair[1]), 0)
        return next((each for each in self._compiled if each not in tried
                     and each[:place + 1] == found[:place + 1]), None)

    def _op_by_op(self, *arguments: Any) -> Any:
        decisions = Decisions()
        result, _ = self._apply(decisions, *arguments)
        answers = tuple(Known(each) for each in decisions.answers)
        if answers in self._compiled:
            self._last = answers
        elif answers in self._seen and len(self._compiled) < _MOST_COMPILED:
            self._compiled[answers] = _compile(self._apply, answers)
            self._last = answers
            if len(self._compiled) == _MOST_COMPILED:
                warnings.warn(
                    f"a graph was compiled for {_MOST_COMPILED} different values that shape what "
                    "it computes; for further ones it runs op by op", ManyValuesWarning,
                    stacklevel=2)
        elif len(self._seen) < 16 * _MOST_COMPILED:
            self._seen.add(answers)
        return result


def _compile(apply: Callable[..., tuple[Any, list[Any]]], answers: Answers) -> Any:
    def decided(*arguments: Any) -> tuple[Any, list[Any]]:
        return apply(Decisions([each.value for each in answers]), *arguments)
    return jax.jit(decided)


def concrete(values: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    """Values as NumPy arrays, also where derivatives by them are being taken.

    Raises:
        UnknownValue: they stand for values of a compiled function.
    """
    try:
        return [np.asarray(jax.lax.stop_gradient(each)) for each in values]
    except jax.errors.TracerArrayConversionError:
        raise UnknownValue("a value is only known when running") from None
