"""Loggers of libraries: what they tell and warn of stays silent where we know better."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def errors_only(logger_name: str) -> Iterator[None]:
    """A library's logger without its warnings, and all below them, while the block runs."""
    with _from(logging.ERROR, logger_name):
        yield


@contextmanager
def critical_only(logger_name: str) -> Iterator[None]:
    """A library's logger without the errors that it raises as well, while the block runs."""
    with _from(logging.CRITICAL, logger_name):
        yield


@contextmanager
def _from(least: int, logger_name: str) -> Iterator[None]:
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(least)
    try:
        yield
    finally:
        logger.setLevel(level)
