"""A run on pictures of the user's own: they are opened instead of drawn."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from configured import perform
from PIL import Image
from serve_run import served

from pipeline.serve import Request, Subject, respond

COLOURS = {"blue": (20, 40, 200), "green": (30, 180, 40), "red": (200, 30, 30)}


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Trained on small colour pictures in three folders."""
    place = tmp_path_factory.mktemp("own")
    random = np.random.RandomState(0)
    for name, colour in COLOURS.items():
        (place / "data" / name).mkdir(parents=True)
        for number in range(20):
            noisy = np.clip(np.array(colour) + 30 * random.randn(6, 8, 3), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(place / "data" / name / f"{number}.png")
    run = place / "run"
    perform(run, "dataset=folder", f"dataset.directory={place / 'data'}", "model=softmax",
            "trainer.epochs=20", "trainer.batch_size=10", "trainer.interval=1")
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text(json.dumps({
        "model": {"name": "softmax", "input_shape": "flat",
                  "scopes": {"softmax": {"kind": "dense", "units": None}}},
        "dataset": {"name": "folder", "directory": str(place / "data")}}))
    return served(run)


def png(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("name", COLOURS)
def test_a_picture_is_judged_by_its_colour(subject: Subject, name: str) -> None:
    body = png(COLOURS[name], (31, 17))    # stretched to the model's size
    answer = respond(subject, Request("POST", "/predict", {}, body, "image/png"))
    said = json.loads(answer.body)
    assert [one["class"] for one in said["models"]] == [name, name]
    assert said["largest_difference"] < 1e-5


def test_the_first_page_opens_pictures_and_draws_nothing(subject: Subject) -> None:
    page = respond(subject, Request("GET", "/", {}, b"", "")).body.decode()
    assert 'type="file"' in page
    assert "<canvas" not in page
    assert all(f">{name}</th>" in page for name in COLOURS)
