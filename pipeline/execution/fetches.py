"""What `run` is asked for: one element, or a nesting of lists, tuples and dicts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.execution.elements import Elements, Operation, Tensor
from pipeline.execution.errors import ElementTypeError, ExecutionError
from pipeline.execution.variable import Variable
from pipeline.graph import CONTROL, Ref

Rebuild = Callable[[Sequence[Any]], Any]


def flatten_fetches(owner: Elements, fetches: Any) -> tuple[list[Ref], Rebuild]:
    """The references that are fetched, and what puts their values into the fetches' nesting.

    Raises:
        ExecutionError: something names no tensor or operation of the graph.
    """
    refs: list[Ref] = []

    def visit(fetch: Any) -> Rebuild:
        if isinstance(fetch, dict):
            inner = {key: visit(value) for key, value in fetch.items()}
            return lambda values: {key: part(values) for key, part in inner.items()}
        if isinstance(fetch, (list, tuple)):
            parts = [visit(value) for value in fetch]
            if hasattr(fetch, "_fields"):
                return lambda values: type(fetch)(*(part(values) for part in parts))
            return lambda values: type(fetch)(part(values) for part in parts)
        refs.append(_ref(owner, fetch))
        place = len(refs) - 1
        return lambda values: values[place]

    rebuild = visit(fetches)
    return refs, rebuild


def _ref(owner: Elements, fetch: Any) -> Ref:
    if fetch is None:
        raise ElementTypeError("Argument `fetch` = None has invalid type \"NoneType\". "
                               "Cannot be None")
    if not isinstance(fetch, (str, Tensor, Operation, Variable)):
        kind = type(fetch).__name__
        raise ElementTypeError(
            f"Argument `fetch` = {fetch} has invalid type \"{kind}\" must be a string or Tensor. "
            f"(Can not convert a {kind} into a Tensor or Operation.)")
    try:
        element = owner.as_graph_element(fetch)
    except ExecutionError as error:
        raise ExecutionError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. "
                             f"({error})") from None
    return element.ref if isinstance(element, Tensor) else Ref(element.name, CONTROL)
