"""The gates that `conf/gate` names, each a function of a run's record."""

from __future__ import annotations

import difflib
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.gate.baseline import judge_baseline, load_baseline, save_baseline
from pipeline.gate.description import judge_variables, load_description, save_description
from pipeline.gate.record import Record, find_metric, metric_names
from pipeline.gate.verdict import Outcome, Verdict

if TYPE_CHECKING:   # run.py imports this room first, and --help waits for it
    from pipeline.config.gate import GateConfig, Threshold

log = logging.getLogger(__name__)


def check(config: GateConfig) -> None:
    """Looks for what judging will need, before hours of training.

    Raises:
        GateError: a file is missing or cannot be used.
    """
    if config.accept:
        return
    if config.baseline is not None:
        load_baseline(Path(config.baseline.file))
    if config.variables is not None:
        load_description(Path(config.variables))


def judge_run(record: Record, config: GateConfig) -> list[Verdict]:
    """What every run must satisfy by itself: all gates but the baseline."""
    verdicts = [_judge_metric(record, name, threshold)
                for name, threshold in config.metrics.items()]
    if config.parity and (record["artifacts"] or record["parity"]):   # else nothing to verify
        verdicts.append(_judge_parity(record))
    verdicts += [_judge_size(record, target, most) for target, most in config.max_bytes.items()]
    if config.variables is not None and not config.accept:
        expected = load_description(Path(config.variables))
        verdicts.append(judge_variables(record, expected, config.variables))
    return verdicts


def judge_against_baseline(records: Sequence[Record], config: GateConfig) -> list[Verdict]:
    """Runs that differ in their seeds alone, against the baseline; nothing where there is none."""
    if config.baseline is None or config.accept:
        return []
    baseline = load_baseline(Path(config.baseline.file))
    return judge_baseline(records, baseline, config.baseline)


def accept(records: Sequence[Record], config: GateConfig) -> None:
    """Makes these runs, which differ in their seeds alone, what later ones are held against.

    Raises:
        GateError: a run lacks a metric of the baseline, or it is not finite.
    """
    written: list[Path] = []
    if config.baseline is not None:
        written.append(Path(config.baseline.file))
        save_baseline(written[-1], records, [*config.baseline.max_drop, *config.baseline.max_rise])
    if config.variables is not None:
        written.append(Path(config.variables))
        save_description(written[-1], records[0])
    for path in written:
        log.info("%s: written anew from %s", path, " ".join(record["name"] for record in records))


def _judge_metric(record: Record, name: str, threshold: Threshold) -> Verdict:
    low, high = threshold.at_least, threshold.at_most
    bounds = [f"at least {low:g}" if low is not None else "",
              f"at most {high:g}" if high is not None else ""]
    expected = " and ".join(filter(None, bounds)) or "finite"
    value = find_metric(record, name)
    if value is None:
        close = difflib.get_close_matches(name, metric_names(record), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        return Verdict(f"metrics.{name}", Outcome.FAILED, "–", expected,
                       f"the run has no such metric{hint}")
    inside = (low is None or value >= low) and (high is None or value <= high)
    passes = inside and math.isfinite(value)
    return Verdict(f"metrics.{name}", Outcome.PASSED if passes else Outcome.FAILED,
                   f"{value:.6g}", expected)


def _judge_parity(record: Record) -> Verdict:
    parities = record["parity"]     # of an artefact that is read in two ways, two
    compared = {parity["artifact"] for parity in parities}
    missing = [f"{artifact['target']}: not compared" for artifact in record["artifacts"]
               if artifact["target"] not in compared]
    differing = [f"{parity['artifact']}: {_difference(parity)}"
                 for parity in parities if not parity["agrees"]]
    wrong = [*missing, *differing]
    return Verdict("parity", Outcome.FAILED if wrong else Outcome.PASSED,
                   f"{len(parities) - len(differing)} of {len(parities) + len(missing)} agree",
                   "every artefact agrees", "\n".join(wrong))


def _difference(parity: Mapping[str, Any]) -> str:
    distance = parity["max_absolute"]    # null in a file, where nothing could be compared
    if distance is None or not math.isfinite(distance):
        return str(parity["detail"])
    return f"differs by {distance:.3g}; {parity['detail']}"


def _judge_size(record: Record, target: str, most: int) -> Verdict:
    name, expected = f"max_bytes.{target}", f"at most {most:,} bytes"
    sizes = {artifact["target"]: artifact["bytes"] for artifact in record["artifacts"]}
    if target not in sizes:
        return Verdict(name, Outcome.FAILED, "–", expected,
                       f"the run wrote no {target}; it wrote {', '.join(sizes) or 'nothing'}")
    passes = sizes[target] <= most
    return Verdict(name, Outcome.PASSED if passes else Outcome.FAILED,
                   f"{sizes[target]:,} bytes", expected)
