"""This room's log, `pipeline.checkpoint`; opening a checkpoint does not wait for its library."""

from __future__ import annotations

_NAME = "pipeline.checkpoint"


def info(text: str, *arguments: object) -> None:
    """What happened, as `logging.info`."""
    import logging

    logging.getLogger(_NAME).info(text, *arguments)


def warning(text: str, *arguments: object) -> None:
    """What was passed over."""
    import logging

    logging.getLogger(_NAME).warning(text, *arguments)


def error(text: str, *arguments: object) -> None:
    """What is wrong, and is answered with nothing."""
    import logging

    logging.getLogger(_NAME).error(text, *arguments)
