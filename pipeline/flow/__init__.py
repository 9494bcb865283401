"""The flow of a run: config → data → model → train → evaluate → persist → verify → report.

The only room that knows every stage. A run is a function of its configuration, and everything it
leaves lies in its own directory. `training` is the whole of it; `delivery` how every run begins
and hands over what it made, `completion` its record, gates and report; `result` what it did so far.
"""

from pipeline.flow.completion import complete as complete
from pipeline.flow.delivery import begin as begin
from pipeline.flow.delivery import deliver as deliver
from pipeline.flow.delivery import source as source
from pipeline.flow.result import RunResult as RunResult
from pipeline.flow.training import train_run as train_run
from pipeline.flow.training import train_together as train_together
