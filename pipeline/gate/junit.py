"""JUnit XML: a test case for the run or each job, and one for each gate.

The dialect that CI systems agree on: testsuites, testsuite, testcase with failure, error or skipped
(https://github.com/testmoapp/junitxml). A crash is an error, a gate that failed a failure. One to
investigate is a failure as well, unless the run passed with it: then it is skipped with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from pipeline.files import write_atomically
from pipeline.gate.exit_codes import Ending, ExitCode
from pipeline.gate.verdict import Outcome, Verdict

FILE_NAME = "junit.xml"
# XML 1.0, section 2.2: what may not stand in a document, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One test case; `result` is None when it passed."""

    classname: str
    name: str
    seconds: float = 0.0
    result: tuple[str, str, str] | None = None   # failure, error or skipped; its line; its text


def case_of_job(name: str, ending: Ending) -> Case:
    """A job: what its gates said has cases of its own."""
    sound = (ExitCode.PASSED, ExitCode.GATE_FAILED)
    result = None
    if ending.exit_code not in sound:
        line = ending.error.partition("\n")[0] or ending.exit_code.name.lower()
        result = ("error", line, ending.traceback or ending.error)
    return Case("job", name, ending.seconds, result)


def case_of_verdict(verdict: Verdict, exit_code: ExitCode, of: str = "") -> Case:
    """A gate.

    Args:
        verdict: what it said.
        exit_code: its run's or sweep's, by which one sees what "investigate" counted as.
        of: names the job where there are several.
    """
    undecided = "skipped" if exit_code is ExitCode.PASSED else "failure"
    tag = {Outcome.PASSED: None, Outcome.FAILED: "failure", Outcome.INVESTIGATE: undecided}
    kind = tag[verdict.outcome]
    line = f"found {verdict.found}, expected {verdict.expected}"
    result = None if kind is None else (kind, line, verdict.detail)
    return Case(f"gate.{of}" if of else "gate", verdict.name, result=result)


def write_junit(suite: str, cases: Sequence[Case], directory: Path) -> Path:
    """Writes `junit.xml` with one suite."""
    counts = {f"{kind}s" if kind != "skipped" else kind: str(sum(
        case.result is not None and case.result[0] == kind for case in cases))
        for kind in ("failure", "error", "skipped")}
    totals = {"tests": str(len(cases)), **counts,
              "time": f"{sum(case.seconds for case in cases):.3f}"}
    root = ElementTree.Element("testsuites", totals)
    parent = ElementTree.SubElement(root, "testsuite", {"name": _clean(suite), **totals})
    for case in cases:
        element = ElementTree.SubElement(parent, "testcase", {
            "classname": _clean(case.classname), "name": _clean(case.name),
            "time": f"{case.seconds:.3f}"})
        if case.result is not None:
            kind, line, text = case.result
            ElementTree.SubElement(element, kind, message=_clean(line)).text = _clean(text)
    ElementTree.indent(root)
    path = directory / FILE_NAME
    write_atomically(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
    return path


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
