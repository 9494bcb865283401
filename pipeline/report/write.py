"""A run's report in its directory: the page, the curves as a picture, TensorBoard's events."""

from __future__ import annotations

from pathlib import Path

from pipeline.files import write_atomically
from pipeline.report.content import Report
from pipeline.report.events import write_events
from pipeline.report.raster import draw_png
from pipeline.report.run_page import run_page
from pipeline.report.sections import charts


def write(report: Report, run_directory: Path) -> Path:
    """Writes `report.html`, `curves.png` and `tensorboard/`, each put in place at once.

    A run that trained nothing gets no `curves.png`. Written again, the files are replaced.

    Returns:
        The path of `report.html`.

    Raises:
        OSError: a file can't be written.
    """
    write_figures(report, run_directory)
    return write_page(report, run_directory)


def write_figures(report: Report, run_directory: Path) -> None:
    """What `write` leaves beside the page."""
    write_events(report, run_directory / "tensorboard")
    if report.history:
        write_atomically(run_directory / "curves.png", draw_png(charts(report.history)))


def write_page(report: Report, run_directory: Path) -> Path:
    """`report.html` alone; returns its path."""
    path = run_directory / "report.html"
    write_atomically(path, run_page(report, run_directory))
    return path
