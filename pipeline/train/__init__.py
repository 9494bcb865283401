"""Training: optimizer and schedule (optax), one pure step, an interval as one compiled program.

Read `step` for what is learned, `program` for what is compiled, `loop` for when things happen,
`snapshot` for how a run goes on.
"""

from pipeline.config.schedules.exponential_decay import exponential_decay as exponential_decay
from pipeline.train.errors import SnapshotError as SnapshotError
from pipeline.train.errors import TrainError as TrainError
from pipeline.train.history import Interval as Interval
from pipeline.train.loop import Observer as Observer
from pipeline.train.loop import fit as fit
from pipeline.train.loss import cross_entropy as cross_entropy
from pipeline.train.machine import describe_machine as describe_machine
from pipeline.train.result import FitResult as FitResult
from pipeline.train.result import Stop as Stop
from pipeline.train.snapshot import Snapshot as Snapshot
from pipeline.train.snapshot import find_step as find_step
from pipeline.train.snapshot import load_variables as load_variables
from pipeline.train.snapshot import save_snapshot as save_snapshot
from pipeline.train.state import TrainState as TrainState
from pipeline.train.step import build_step as build_step
from pipeline.train.steps import require_saveable as require_saveable
from pipeline.train.together import Member as Member
from pipeline.train.together import fit_together as fit_together
