"""What GitHub Actions shows of a run: a summary in Markdown, and annotations.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.gate.exit_codes import Ending, ExitCode
from pipeline.gate.verdict import Outcome, Verdict

_MARKS = {Outcome.PASSED: "✅", Outcome.INVESTIGATE: "⚠️", Outcome.FAILED: "❌"}
_LEVELS = {Outcome.INVESTIGATE: "warning", Outcome.FAILED: "error"}
_SUMMARY_LIMIT = 1024 * 1024   # bytes a step; GitHub drops the whole summary beyond


def workflow_commands(name: str, verdicts: Sequence[Verdict], ending: Ending) -> list[str]:
    """Annotations: an error for a crash and each failed gate, a warning to investigate."""
    lines = [
        _command(_LEVELS[verdict.outcome], f"{name}: gate {verdict.name}",
                 f"found {verdict.found}, expected {verdict.expected}\n{verdict.detail}".rstrip())
        for verdict in verdicts if verdict.outcome in _LEVELS
    ]
    if ending.error:
        lines.insert(0, _command("error", f"{name}: {ending.exit_code.name.lower()}", ending.error))
    return lines


def markdown(name: str, verdicts: Sequence[Verdict], ending: Ending) -> str:
    """The gates of a run as a table, its error first if it had one."""
    mark = "✅" if ending.exit_code is ExitCode.PASSED else "❌"
    parts = [f"### {mark} {_cell(name)}: exit code {int(ending.exit_code)} "
             f"({ending.exit_code.name.lower().replace('_', ' ')})"]
    if ending.error:
        parts.append(_code_block(ending.error))
    if verdicts:
        rows = [f"| {_MARKS[verdict.outcome]} | {_cell(verdict.name)} | {_cell(verdict.found)} "
                f"| {_cell(verdict.expected)} | {_cell(verdict.detail)} |" for verdict in verdicts]
        parts.append("\n".join(["| | gate | found | expected | |", "|-|-|-|-|-|", *rows]))
    return "\n\n".join(parts) + "\n"


def announce(text: str, commands: Sequence[str]) -> None:
    """Gives GitHub the summary and the annotations; does nothing elsewhere."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        path = Path(target)
        written = path.stat().st_size if path.exists() else 0
        if written + len(text.encode()) <= _SUMMARY_LIMIT:
            with path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(*commands, sep="\n", end="\n" if commands else "", flush=True)


def _command(level: str, title: str, message: str) -> str:
    # Escapes: actions/toolkit, packages/core/src/command.ts
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    head = title.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} title={head.replace(':', '%3A').replace(',', '%2C')}::{text}"


def _cell(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    for character in "|`*_[]":
        escaped = escaped.replace(character, f"\\{character}")
    return escaped.replace("\r", " ").replace("\n", "<br>")


def _code_block(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
