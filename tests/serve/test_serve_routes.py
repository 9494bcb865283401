"""What is answered to which request, without HTTP."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serve_run import served

from pipeline import evaluate, execution, graph, model, persistence
from pipeline.data import DataError
from pipeline.data.pictures import read_picture
from pipeline.serve import Request, Response, Subject, evaluating, respond
from pipeline.serve import routes as routes_module


@pytest.fixture(scope="module")
def subject(run_directory: Path) -> Subject:
    opened = served(run_directory)
    assert opened.evaluation.examples == 360, "and is not under way any more"
    return opened


def get(subject: Subject, path: str, **query: str) -> Response:
    return respond(subject, Request("GET", path, query))


def text(subject: Subject, path: str, **query: str) -> str:
    response = get(subject, path, **query)
    assert response.status == HTTPStatus.OK, response.body
    assert response.content_type == "text/html; charset=utf-8"
    return response.body.decode()


def post(subject: Subject, body: bytes, kind: str = "image/png") -> Response:
    return respond(subject, Request("POST", "/predict", {}, body, kind))


def png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def test_a_picture_gets_both_models_own_probabilities(subject: Subject) -> None:
    body = png(subject.data_sets.test.pixels[7])
    response = post(subject, body)
    assert response.status == HTTPStatus.OK
    said: dict[str, Any] = json.loads(response.body)
    pixels = read_picture(body)
    images = (pixels[None] / np.float32(255)).reshape(1, 784)
    function = execution.function(
        graph.load_graph(subject.directory / "frozen_graph.pb"), ["input"], ["probabilities"])
    native = persistence.load_logits(subject.directory, subject.network, pixels[None])
    frozen, own = said["models"]
    assert (frozen["source"], own["source"]) == ("frozen_graph.pb", "orbax/260")
    np.testing.assert_allclose(frozen["probabilities"], function(images)[0][0], atol=1e-6)
    np.testing.assert_allclose(own["probabilities"], np.exp(evaluate.log_softmax(native))[0],
                               atol=1e-6)
    assert frozen["label"] == own["label"] == int(np.argmax(own["probabilities"]))
    assert 0 <= said["largest_difference"] < 1e-5
    assert said["pixels"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "words"),
    [
        ("GET", "/nowhere", {}, 404, "/nowhere: no such page; there are /, /mistakes"),
        ("GET", "/../../etc/passwd", {}, 404, "no such page"),
        ("POST", "/", {}, 405, "/ takes GET, not POST"),
        ("GET", "/predict", {}, 405, "/predict takes POST, not GET"),
        ("GET", "/", {"example": "-1"}, 400, "example=-1: expected a whole number from 0"),
        ("GET", "/", {"example": "٣"}, 400, "expected a whole number"),
        ("GET", "/", {"example": "360"}, 404, "example=360: the test split has 360"),
        ("GET", "/mistakes", {"true": "x"}, 400, "true=x: expected a whole number"),
        ("GET", "/mistakes", {"page": "0"}, 400, "page=0: expected a whole number from 1"),
        ("GET", "/mistakes", {"page": "999"}, 404, "page=999: there are pages 1 to"),
        ("GET", "/variables", {"name": "layer9"}, 404, "name=layer9: no such variable; there are"),
        ("GET", "/variables", {"name": "layer2/biases", "page": "2"}, 404, "pages 1 to 1"),
        ("GET", "/graph", {"scope": "layer9"}, 404, "scope=layer9: nothing in the graph is under"),
    ],
)
def test_bad_requests_get_a_clear_error_in_json(
    subject: Subject, method: str, path: str, query: dict[str, str], status: int, words: str
) -> None:
    response = respond(subject, Request(method, path, query))
    assert response.status == status
    assert response.content_type == "application/json"
    assert words in json.loads(response.body)["error"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"", "image/png", 422, "not a picture"),
        (b"<svg/>", "image/svg+xml", 422, "not a picture; expected PNG"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "expected a picture, such as image/png"),
        (b"x", "text/plain", 415, "Content-Type: text/plain; expected a picture"),
        (b"x", "", 415, "Content-Type: missing"),
    ],
)
def test_what_is_no_picture_is_refused(
    subject: Subject, body: bytes, kind: str, status: int, words: str
) -> None:
    response = post(subject, body, kind)
    assert response.status == status
    assert words in json.loads(response.body)["error"]


def test_an_empty_or_damaged_picture_is_refused(subject: Subject) -> None:
    empty = post(subject, png(np.full((280, 280), 255, np.uint8)))
    assert empty.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "nothing is on it" in json.loads(empty.body)["error"]
    whole = png(subject.data_sets.test.pixels[0])
    damaged = post(subject, whole[:len(whole) // 2])
    assert damaged.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "damaged" in json.loads(damaged.body)["error"]


def test_a_mistake_of_ours_is_told_without_a_traceback(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> Response:
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(routes_module.ROUTES, "/graph", {"GET": fail})
    response = get(subject, "/graph")
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body
    assert "secret" in caplog.text


def test_a_data_set_that_is_gone_leaves_the_rest(run_directory: Path, tmp_path: Path) -> None:
    gone = served(run_directory, "dataset=mnist", f"dataset.directory={tmp_path}")
    response = get(gone, "/mistakes")
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Not available" in response.body.decode()
    assert str(tmp_path) in response.body.decode()
    assert get(gone, "/variables").status == HTTPStatus.OK
    assert get(gone, "/").status == HTTPStatus.OK


def test_nobody_waits_for_the_evaluation(
    run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first half is through the model; the other waits until a test lets it go on."""
    go_on, predict = threading.Event(), model.predict_logits

    def wait(network: Any, variables: Any, pixels: np.ndarray) -> np.ndarray:
        if len(pixels) < 180:
            assert go_on.wait(60)
        return predict(network, variables, pixels)

    monkeypatch.setattr(model, "predict_logits", wait)
    monkeypatch.setattr(evaluating, "_AT_ONCE", 181)
    subject = dataclasses.replace(served(run_directory))
    first = get(subject, "/mistakes")
    while subject.evaluating.done == 0:
        first = get(subject, "/mistakes")
    assert first.headers["Refresh"] == "1"
    assert get(subject, "/mistakes", page="0").status == HTTPStatus.BAD_REQUEST
    shown = text(subject, "/mistakes")
    assert '<progress max="360" value="181"' in shown
    assert "181 of 360 test examples" in shown
    assert "weights" in text(subject, "/variables"), "the other pages are there meanwhile"
    go_on.set()
    assert subject.evaluation.examples == 360
    last = get(subject, "/mistakes")
    assert "Refresh" not in last.headers
    assert b"<figure" in last.body


def test_what_the_evaluation_raised_is_told_to_whoever_asks(
    run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DataError("out of examples")

    monkeypatch.setattr(model, "predict_logits", fail)
    response = get(dataclasses.replace(served(run_directory)), "/mistakes")
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert b"out of examples" in response.body


def test_mistakes_are_those_of_the_evaluation(subject: Subject) -> None:
    wrong = subject.evaluation.predictions != subject.data_sets.test.digits
    assert 0 < wrong.sum() < 60
    assert text(subject, "/mistakes").count("<figure") == wrong.sum()
    index = int(np.flatnonzero(wrong)[0])
    true, predicted = (int(subject.data_sets.test.digits[index]),
                       int(subject.evaluation.predictions[index]))
    chosen = text(subject, "/mistakes", true=str(true), predicted=str(predicted))
    assert f"{true} taken for {predicted}" in chosen
    assert f'href="/?example={index}"' in chosen
    assert chosen.count("<figure") == subject.evaluation.confusion[true, predicted]
    assert "<figure" not in text(subject, "/mistakes", true=str(true), predicted=str(true))
    assert f'href="/mistakes?true={true}&amp;predicted={predicted}"' in chosen


def test_an_example_is_shown_with_its_label_and_both_answers(subject: Subject) -> None:
    page = text(subject, "/", example="11")
    assert f"Test example 11, labelled {subject.data_sets.test.digits[11]}" in page
    best = subject.evaluation.probabilities[11].max()
    assert f"{100 * best:.1f} %" in page
    assert page.count('class="best"') == 1


def test_variables_with_their_figures(subject: Subject) -> None:
    page = text(subject, "/variables")
    for name, values in subject.values.items():
        assert f"<code>{name}</code>" in page
        assert f"{np.max(values):.4g}" in page
    assert page.count('class="sparkline"') == len(subject.values) == 4
    assert page.count("weights of unit") == 80
    last = text(subject, "/variables", name="layer1/weights", page="3")
    assert last.count("weights of unit") == 40
    assert "weights of unit 199" in last
    bias = text(subject, "/variables", name="layer2/biases")
    counts = [int(found) for found in re.findall(r"<title>[^<]*: (\d+)</title>", bias)]
    assert sum(counts) == 10


def test_the_report_and_no_icon(subject: Subject) -> None:
    assert get(subject, "/report").file == subject.directory / "report.html"
    assert get(subject, "/favicon.ico").status == HTTPStatus.NO_CONTENT


def test_pages_refer_to_nothing_outside(subject: Subject) -> None:
    for path in ("/", "/mistakes", "/variables", "/graph"):
        page = text(subject, path)
        assert not re.findall(r'(?:src|href|action)="(?!/|#|data:)[^"]+"', page)
        assert "default-src &#x27;none&#x27;" in page
        assert not re.findall(r"<script[^>]+src=", page)


def test_probabilities_that_are_not_finite_are_refused(subject: Subject) -> None:


    voices = tuple(dataclasses.replace(voice, ask=lambda pixels: np.full((1, 10), np.nan))
                   for voice in subject.voices)
    broken = dataclasses.replace(subject, voices=voices)
    response = post(broken, png(subject.data_sets.test.pixels[0]))
    assert response.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "not finite" in json.loads(response.body)["error"]
