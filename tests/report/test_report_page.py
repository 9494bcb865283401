"""The page of a run, judged by a real HTML5 parser: the html5lib that tensorboard carries along."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import re
import warnings
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pytest
import yaml
from finished_run import RUN, evaluation, file, finished_run, history, split
from PIL import Image
from test_report_markup import HOSTILE

from pipeline.persistence import Artifact
from pipeline.report import Report, VariableRow
from pipeline.report.evaluation import MISTAKES_SHOWN, mistakes
from pipeline.report.run_page import run_page
from pipeline.verification import Parity

SECTIONS = ["curves", "confusion", "mistakes", "model", "artefacts", "gates", "time", "environment",
            "configuration"]
NAN = math.nan


def parse(html: str) -> Element:
    """The document, which must be without a single parse error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard._vendor.bleach._vendor import html5lib
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(html)
    assert parser.errors == []
    return document


def page(report: Report) -> Element:
    return parse(run_page(report, RUN))


def section(document: Element, anchor: str) -> Element:
    [found] = [part for part in document.iter("section") if part.get("id") == anchor]
    return found


def text(element: Element) -> str:
    return "".join(element.itertext())


def rows(element: Element, part: str = "tbody") -> list[list[str]]:
    return [[text(cell) for cell in row] for body in element.iter(part) for row in body]


def test_all_sections_are_there_and_reachable() -> None:
    document = page(finished_run())
    assert [part.get("id") for part in document.iter("section")] == SECTIONS
    assert [link.get("href") for link in document.iter("a")] == [f"#{name}" for name in SECTIONS]
    identifiers = [found for part in document.iter() if (found := part.get("id"))]
    assert len(identifiers) == len(set(identifiers))


def test_the_header_says_how_the_run_ended() -> None:
    [header] = page(finished_run(notes="a\nb")).iter("header")
    said = text(header)
    for fact in ("08-01-12", "23 November 2026, 08:01:12 UTC", "88.00 %", "of 500 examples",
                 "0.0634", "2 of 2 agree", "392,501", "49.7 s", "digits", "a\nb"):
        assert fact in said


def test_a_disagreeing_artefact_is_said_at_the_top_and_in_its_row() -> None:
    bad = Parity("frozen_graph", 0.3, 0.1, False, "differs at 3 of 256")
    document = page(finished_run(parities=[finished_run().parities[0], bad]))
    [header] = document.iter("header")
    assert "✗ 1 of 2 disagree" in text(header)
    assert rows(section(document, "artefacts"))[1] == [
        "frozen_graph", "✗ nodiffers at 3 of 256", "0.3", "0.1", "1.59 MB", "frozen_graph.pb",
        "frozen_graph"]


def test_nothing_refers_outside() -> None:
    html = run_page(finished_run(), RUN)
    document = parse(html)
    assert not {"link", "iframe", "object", "embed", "base", "audio", "video"} & {
        element.tag for element in document.iter() if isinstance(element.tag, str)}
    for element in document.iter():
        for name, value in element.items():
            if name in ("src", "href", "srcset", "action", "data", "poster", "{xlink}href"):
                assert value.startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"(?i)\burl\(|@import|//\w+\.\w+|fetch\(|XMLHttpRequest", html)


def test_the_policy_allows_our_script_alone() -> None:
    html = run_page(finished_run(), RUN)
    document = parse(html)
    [policy] = [meta.get("content", "") for meta in document.iter("meta")
                if meta.get("http-equiv") == "Content-Security-Policy"]
    [script] = [text(found) for found in document.iter("script")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def hostile_run() -> Report:
    bad = Artifact(HOSTILE, HOSTILE, Path(HOSTILE), (file(HOSTILE, 3),))
    return finished_run(
        name=HOSTILE, notes=HOSTILE, data=HOSTILE, stopped=HOSTILE,
        config_yaml=f"{HOSTILE}: {HOSTILE}\n# {HOSTILE}\nname: {HOSTILE}\x1b[31m\ud800\n",
        environment={HOSTILE: HOSTILE}, durations={HOSTILE: 1.0},
        variables=[VariableRow(name=f"{HOSTILE}/w", shape=(1,), dtype=HOSTILE, count=1,
                               trainable=True, collections=(HOSTILE,))],
        artifacts=[bad], parities=[Parity(HOSTILE, 0.0, 0.0, False, HOSTILE)])


def test_text_from_outside_never_becomes_markup() -> None:
    document = page(hostile_run())
    assert len(list(document.iter("script"))) == 1
    for element in document.iter():
        assert not any(name.startswith("on") for name in element.keys())  # noqa: SIM118
    [body] = document.iter("body")
    # title, h1 and 20 places more: none has swallowed or lost a character of it
    assert text(body).count(HOSTILE) >= 20
    assert all(source.get("src", "").startswith("data:") for source in document.iter("img"))


def test_the_configuration_is_there_to_the_letter() -> None:
    config = "a:\n  b: [1, 2]\n  'c: d': e\n\nlist:\n- x: 1\n- http://h/\n# note: this\nnull: ~\n"
    [shown] = section(page(finished_run(config_yaml=config)), "configuration").iter("pre")
    assert text(shown) == config.rstrip("\n")
    assert yaml.safe_load(text(shown)) == yaml.safe_load(config)


def test_the_confusion_matrix_has_sums_and_titles() -> None:
    report = finished_run()
    part = section(page(report), "confusion")
    matrix, scores = list(part.iter("table"))
    confusion = report.evaluation.confusion
    shown = np.array([[int(cell.replace("·", "0")) for cell in row[1:]] for row in rows(matrix)])
    np.testing.assert_array_equal(shown[:, :-1], confusion)
    np.testing.assert_array_equal(shown[:, -1], confusion.sum(axis=1))
    assert rows(matrix, "tfoot") == [["sum", *map(str, confusion.sum(axis=0)), "500"]]
    titles = [cell.get("title") for cell in matrix.iter("td") if cell.get("title")]
    assert "0 taken for 1: 6 of 50 (12.00 %)" in titles
    assert "0 recognised: 44 of 50 (88.00 %)" in titles
    assert rows(scores)[3] == ["3", "91.50 %", "93.50 %", "92.00 %", "50"]
    assert [text(mark) for mark in scores.iter("em")][:2] == ["90.00 %", "92.00 %"]


def test_mistakes_are_shown_worst_first_as_they_look() -> None:
    report = finished_run()
    part = section(page(report), "mistakes")
    assert text(part).startswith("Worst mistakes60 of 500 test examples are misclassified")
    pictures = list(part.iter("img"))
    assert len(pictures) == MISTAKES_SHOWN
    for index in (0, 17):
        encoded = pictures[index].get("src", "").partition(",")[2]
        drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
        np.testing.assert_array_equal(255 - drawn, report.pixels[index])
    captions = [text(caption) for caption in part.iter("figcaption")]
    assert captions[:2] == ["0 → 1 99 %", "1 → 2 99 %"]
    assert next(part.iter("figure")).get("title") == (
        "test example 0: a 0 taken for a 1 with 99 %; 0 got 1.00 %")


def test_the_worst_mistake_gave_the_truth_the_least() -> None:
    _, digits = split(100)
    found = evaluation(digits, wrong=5)
    found.probabilities[3, digits[3]] = 0.001
    found.probabilities[1, digits[1]] = NAN
    assert list(mistakes(found, digits)) == [1, 3, 0, 2, 4]


def test_the_model_is_a_table_under_its_scopes() -> None:
    [table] = section(page(finished_run()), "model").iter("table")
    assert rows(table)[:3] == [
        ["layer1", "392,500", "", ""],
        ["layer1/weights", "784 × 500", "float32", "392,000", "", "yes",
         "variables, trainable_variables"],
        ["layer1/biases", "500", "float32", "500", "", "yes", "variables, trainable_variables"]]
    assert rows(table)[-2:] == [["(no scope)", "1", "", ""],
                                ["scale", "scalar", "float32", "1", "", "yes", ""]]
    assert rows(table, "tfoot") == [
        ["4 variables", "", "", "393,001", "", "392,501 trainable", ""]]


def test_artefacts_stand_with_size_parity_and_digests() -> None:
    report = finished_run()
    overview, files = section(page(report), "artefacts").iter("table")
    assert rows(overview) == [
        ["tf_checkpoint", "✓ yes", "0", "0", "3.18 MB", "model.ckpt-1200", "tf_checkpoint"],
        ["frozen_graph", "✓ yes256 examples", "1.19e-07", "3.4e-06", "1.59 MB", "frozen_graph.pb",
         "frozen_graph"]]
    assert rows(files)[-1] == ["frozen_graph.pb", "1,591,304", file("frozen_graph.pb", 0).sha256]
    assert len(rows(files)) == 4


def test_parities_without_artefact_and_the_reverse_are_shown() -> None:
    report = finished_run()
    stray = Parity("somewhere else", 0.0, 0.0, True, "")
    overview, _ = section(page(finished_run(parities=[stray])), "artefacts").iter("table")
    assert [row[1] for row in rows(overview)] == ["not compared", "not compared", "✓ yes"]
    assert rows(overview)[-1][0] == "somewhere else"
    assert report.artifacts[0].path.is_absolute(), "shown relative to the run"


def test_times_and_environment_are_in_order() -> None:
    document = page(finished_run())
    [table] = section(document, "time").iter("table")
    assert [row[:2] for row in rows(table)] == [
        ["data", "610 ms"], ["model", "42 ms"], ["train", "48.3 s"], ["evaluate", "700 ms"]]
    names = [text(name) for name in section(document, "environment").iter("dt")]
    assert names == ["command", "seed", "device"]


def test_intervals_are_listed_and_thinned() -> None:
    few, many = (section(page(finished_run(history=history(n))), "curves") for n in (12, 5000))
    [summary] = few.iter("summary")
    assert text(summary) == "12 intervals"
    assert rows(few)[1] == ["200", "1", "1.077", "79.46 %", "1.127", "77.46 %", "0.7841", "60,200"]
    [summary] = many.iter("summary")
    assert re.fullmatch(r"5,000 intervals, 1?\d\d of them listed", text(summary))
    assert rows(many)[-1][0] == "500,000"


@pytest.mark.parametrize("changes", [
    {"history": []},
    {"history": history(1)},
    {"history": history(1, step=0, epoch=0.0)},
    {"history": history(3, loss=NAN, accuracy=NAN, validation_loss=NAN)},
    {"history": history(3, loss=math.inf, learning_rate=0.0, examples_per_second=0.0)},
    {"wrong": 0},
    {"wrong": 500},
    {"evaluation": None},
    {"artifacts": [], "parities": []},
    {"parities": []},
    {"parities": [Parity("frozen_graph", NAN, math.inf, False, "")]},
    {"variables": []},
    {"durations": {}},
    {"durations": {"data": 0.0}},
    {"environment": {}},
    {"config_yaml": ""},
    {"notes": "n", "data": "", "stopped": ""},
    {"name": ""},
], ids=str)
def test_runs_with_little_in_them_have_a_whole_page(changes: dict[str, Any]) -> None:
    document = page(finished_run(**changes))
    assert [part.get("id") for part in document.iter("section")] == SECTIONS
    assert "None" not in text(document).replace("None of", "")


def test_empty_sections_say_so() -> None:
    document = page(finished_run(history=[], evaluation=None, artifacts=[], parities=[]))
    for anchor, words in [("curves", "trained nothing"), ("confusion", "evaluated nothing"),
                          ("mistakes", "evaluated nothing"), ("artefacts", "wrote no artefacts")]:
        assert words in text(section(document, anchor))
    assert "nothing to verify" in text(document)
    assert "None of 500 test examples is misclassified" in text(page(finished_run(wrong=0)))


def test_the_page_stays_small() -> None:
    report = finished_run(
        wrong=500, history=history(30_000), config_yaml=finished_run().config_yaml * 200,
        variables=[VariableRow(name=f"block{k}/weights", shape=(3, 3, 64, 64), dtype="float32",
                               count=36_864, trainable=True, collections=("variables",))
                   for k in range(500)])
    assert len(run_page(report, RUN).encode()) < 2_000_000


def test_the_same_run_gives_the_same_page() -> None:
    assert run_page(finished_run(), RUN) == run_page(finished_run(), RUN)


def test_it_is_made_for_dark_rooms_phones_and_paper() -> None:
    html = run_page(finished_run(), RUN)
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem",
                 'name="viewport"', 'name="color-scheme" content="light dark"'):
        assert rule in html
