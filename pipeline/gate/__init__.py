"""What a scheduler may trust: exit codes, gates, and the records that prove them.

`exit_codes` says how a process ends, `record` what a run's `metrics.json` holds, `judge` what is
made of it, `verdict` how that is written down; `junit`, `github`, `trend` and `manifest` are for
those who read it.
"""

from pipeline.gate.baseline import load_baseline as load_baseline
from pipeline.gate.errors import GateError as GateError
from pipeline.gate.exit_codes import Ending as Ending
from pipeline.gate.exit_codes import ExitCode as ExitCode
from pipeline.gate.exit_codes import attempt as attempt
from pipeline.gate.exit_codes import guard as guard
from pipeline.gate.exit_codes import worst as worst
from pipeline.gate.github import announce as announce
from pipeline.gate.github import markdown as markdown
from pipeline.gate.github import workflow_commands as workflow_commands
from pipeline.gate.judge import accept as accept
from pipeline.gate.judge import check as check
from pipeline.gate.judge import judge_against_baseline as judge_against_baseline
from pipeline.gate.judge import judge_run as judge_run
from pipeline.gate.junit import Case as Case
from pipeline.gate.junit import case_of_job as case_of_job
from pipeline.gate.junit import case_of_verdict as case_of_verdict
from pipeline.gate.junit import write_junit as write_junit
from pipeline.gate.manifest import require_manifest as require_manifest
from pipeline.gate.manifest import write_manifest as write_manifest
from pipeline.gate.record import RECORD_FILE as RECORD_FILE
from pipeline.gate.record import Record as Record
from pipeline.gate.record import config_hash as config_hash
from pipeline.gate.record import find_metric as find_metric
from pipeline.gate.record import load_record as load_record
from pipeline.gate.record import metric_names as metric_names
from pipeline.gate.record import provenance as provenance
from pipeline.gate.record import require_metric as require_metric
from pipeline.gate.record import save_record as save_record
from pipeline.gate.record import spread as spread
from pipeline.gate.trend import Point as Point
from pipeline.gate.trend import append_to_trend as append_to_trend
from pipeline.gate.trend import load_trend as load_trend
from pipeline.gate.trend import trend_point as trend_point
from pipeline.gate.trend import trend_with as trend_with
from pipeline.gate.verdict import Outcome as Outcome
from pipeline.gate.verdict import Verdict as Verdict
from pipeline.gate.verdict import exit_code as exit_code
from pipeline.gate.verdict import load_verdicts as load_verdicts
from pipeline.gate.verdict import overall as overall
from pipeline.gate.verdict import save_verdicts as save_verdicts
