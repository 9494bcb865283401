"""The pages in a real browser, by mouse, touch and keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from PIL import Image
from serve_run import served

from pipeline.data.digits import embedded, enlarge
from pipeline.serve import Server

SEVEN = [(0.22, 0.18), (0.5, 0.18), (0.76, 0.18), (0.62, 0.42), (0.52, 0.64), (0.44, 0.86)]


@pytest.fixture(scope="module")
def url(run_directory: Path) -> Iterator[str]:
    subject = served(run_directory)
    assert subject.evaluation, "and is not under way any more"
    with Server(subject) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Browser]:
    """The drawing page; whatever a test does, nothing may go wrong or leave the machine."""
    browser.events.clear()
    browser.resize(1000, 800)
    browser.open(url)
    yield browser
    assert not browser.complaints
    assert all(asked.startswith((url, "data:")) for asked in browser.requested)


def on_canvas(page: Browser, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points in fractions of the canvas as points of the window."""
    left, top, side = page.evaluate(
        "(() => { const f = canvas.getBoundingClientRect(); return [f.left, f.top, f.width]; })()")
    return [(left + x * side, top + y * side) for x, y in points]


def answered(page: Browser) -> str:
    """The verdict once no question is open any more."""
    page.wait_for("!document.getElementById('said').ariaBusy")
    return str(page.evaluate("document.getElementById('verdict').textContent"))


def test_a_seven_drawn_by_mouse_is_a_seven(page: Browser) -> None:
    page.drag(*on_canvas(page, SEVEN))
    assert answered(page).startswith("7, ")
    assert page.evaluate("document.querySelector('.best th').textContent") == "7"
    shares = page.evaluate(
        "[...document.querySelectorAll('.best .figure')].map(x => x.textContent)")
    assert len(shares) == 2
    assert shares[0] == shares[1]
    assert "two: " in page.evaluate("document.getElementById('difference').textContent")
    assert page.evaluate("seen.naturalWidth") == 28


def test_a_seven_drawn_by_finger_is_a_seven(page: Browser) -> None:
    page.touch(*on_canvas(page, SEVEN))
    assert answered(page).startswith("7, ")


def test_a_one_drawn_by_keys_is_a_one(page: Browser) -> None:
    page.evaluate("canvas.focus()")
    page.press("ArrowUp", 9)
    assert page.evaluate("!pen.hidden && !pen.classList.contains('down')")
    page.press(" ")
    assert page.evaluate("pen.classList.contains('down')")
    page.press("ArrowDown", 18)
    page.press(" ")
    assert answered(page).startswith("1, ")
    page.press("Escape")
    assert answered(page) == "Nothing drawn yet"


def test_undo_takes_strokes_back_one_by_one(page: Browser) -> None:
    page.drag(*on_canvas(page, SEVEN))
    before = answered(page)
    page.drag(*on_canvas(page, [(0.1, 0.9), (0.9, 0.9), (0.9, 0.1)]))
    assert answered(page) != before
    page.evaluate("undo.click()")
    assert answered(page) == before
    page.evaluate("clear.click()")
    assert answered(page) == "Nothing drawn yet"


def test_a_picture_can_be_opened(page: Browser, tmp_path: Path) -> None:
    small, labels = embedded()
    index = int(np.flatnonzero(labels == 3)[-1])
    path = tmp_path / "three.png"
    Image.fromarray(enlarge(small)[index]).resize((300, 300)).save(path)
    choose(page, path)
    assert answered(page).startswith("3, ")
    path.write_text("no picture")
    choose(page, path)
    assert answered(page) == "the picture: not a picture; expected PNG, JPEG, GIF, BMP, WEBP, TIFF"
    page.events.clear()     # the browser notes the refusal as an error, as it should


def choose(page: Browser, path: Path) -> None:
    page.call("DOM.enable")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.evaluate("verdict.textContent = 'before'")
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
    page.wait_for("verdict.textContent !== 'before'")


def test_a_mistake_leads_to_what_both_models_say_of_it(page: Browser, url: str) -> None:
    page.open(url + "mistakes")
    address = page.evaluate("document.querySelector('.gallery a').href")
    page.open(address)
    assert page.evaluate("document.querySelector('h2').textContent").startswith("Test example ")
    assert page.evaluate("document.querySelectorAll('.best').length") == 1
    page.wait_for("canvas.getContext('2d').getImageData(0, 0, 280, 280).data.some(x => x < 99)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("address", ["", "mistakes", "variables", "variables?name=layer1/weights",
                                     "graph", "graph?scope=layer1"])
def test_pages_fit_a_phone_and_can_be_read(
    page: Browser, url: str, address: str, dark: bool
) -> None:
    page.resize(400, 800, dark=dark)
    page.open(url + address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    ink, paper = json.loads(page.evaluate(
        "JSON.stringify(['color', 'backgroundColor'].map(x => getComputedStyle(document.body)[x]"
        ".match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0)))"))
    assert abs(ink - paper) > 400
    assert (paper < ink) == dark
