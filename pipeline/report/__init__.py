"""A run as a page to look at, a picture of its curves, TensorBoard events, and its last lines.

`content` says what a report holds and `write` leaves it in the run's directory. Pages are made of
`page` (the shell), `chart`, `table` and `markup`, which know nothing of runs; `sections` and
`run_page` are the page of one run. Without JAX.
"""

from pipeline.report.compare_content import ComparedRun as ComparedRun
from pipeline.report.compare_content import ComparedVariable as ComparedVariable
from pipeline.report.compare_content import RunComparison as RunComparison
from pipeline.report.compare_page import compare_lines as compare_lines
from pipeline.report.compare_page import compare_page as compare_page
from pipeline.report.content import Report as Report
from pipeline.report.content import VariableRow as VariableRow
from pipeline.report.environment import describe_environment as describe_environment
from pipeline.report.environment import git_revision as git_revision
from pipeline.report.summary import print_summary as print_summary
from pipeline.report.summary import print_verdicts as print_verdicts
from pipeline.report.summary import summary_lines as summary_lines
from pipeline.report.sweep_content import Setting as Setting
from pipeline.report.sweep_content import SweepReport as SweepReport
from pipeline.report.sweep_content import SweepRun as SweepRun
from pipeline.report.sweep_page import sweep_page as sweep_page
from pipeline.report.sweep_summary import print_sweep as print_sweep
from pipeline.report.sweep_summary import sweep_lines as sweep_lines
from pipeline.report.write import write as write
from pipeline.report.write import write_figures as write_figures
from pipeline.report.write import write_page as write_page
