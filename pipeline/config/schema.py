"""What a whole configuration may hold: one dataclass per group of `conf/`.

Not frozen: Hydra's overrides break on frozen dataclasses. Units stand beside each field,
and what it decides (`roles`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import ByteSize, Field

from pipeline.config.consent import CodeName
from pipeline.config.dataset import DatasetConfig
from pipeline.config.gate import GateConfig
from pipeline.config.model import ModelConfig
from pipeline.config.optimizers import OptimizerConfig
from pipeline.config.persistence import TargetConfig, VerificationConfig
from pipeline.config.roles import Circumstance, Constant, Length, Number, Product, Repetition
from pipeline.config.schedules import ScheduleConfig
from pipeline.config.sweep import SweepConfig

Count: TypeAlias = Annotated[int, Field(ge=0)]
Positive: TypeAlias = Annotated[int, Field(gt=0)]
PositiveFloat: TypeAlias = Annotated[float, Field(gt=0.0)]
Fraction: TypeAlias = Annotated[float, Field(ge=0.0, lt=1.0)]


@dataclass(kw_only=True)
class EmaConfig:
    """Exponential moving averages of the trainable variables; evaluated and persisted when on."""

    decay: Annotated[Fraction, Number]
    num_updates: bool = True       # decay = min(decay, (1 + step) / (10 + step)), as TF1 does


@dataclass(kw_only=True)
class EarlyStoppingConfig:
    """Stop when a validation metric has not improved for `patience` evaluations."""

    metric: Literal["accuracy", "loss"] = "accuracy"
    patience: Positive = 5
    min_delta: Annotated[float, Field(ge=0.0)] = 0.0


@dataclass(kw_only=True)
class AugmentationConfig:
    """Random affine and elastic changes of each training image, made on the device."""

    shift: Annotated[float, Field(ge=0.0)] = 0.0      # pixels
    rotate: Annotated[float, Field(ge=0.0)] = 0.0     # degrees
    scale: Fraction = 0.0                             # 0.1: between 0.9 and 1.1
    shear: Annotated[float, Field(ge=0.0)] = 0.0      # degrees
    elastic: Annotated[float, Field(ge=0.0)] = 0.0    # pixels, of a smooth displacement field
    flip: bool = False                                # left for right, every other picture


@dataclass(kw_only=True)
class TrainerConfig:
    """How long and how to train. Exactly one of `epochs` and `steps` is given."""

    batch_size: Positive = 100
    epochs: Annotated[PositiveFloat | None, Length] = None
    steps: Annotated[Positive | None, Length] = None
    interval: Positive | None = None  # steps in one compiled program; an epoch if null
    evaluate_every: Positive = 1      # intervals between evaluations on the validation split
    # intervals between orbax steps; null: only the last
    checkpoint_every: Annotated[Positive | None, Circumstance] = None
    keep_checkpoints: Annotated[Positive, Circumstance] = 2
    # package.module.function of (logits [batch, classes], labels [batch]); null: cross-entropy
    loss: CodeName | None = None
    label_smoothing: Annotated[Fraction, Constant] = 0.0    # of the cross-entropy
    ema: EmaConfig | None = None
    early_stopping: Annotated[EarlyStoppingConfig | None, Length] = None
    augmentation: AugmentationConfig | None = None


@dataclass(kw_only=True)
class RuntimeConfig:
    """The machine: set before JAX is imported."""

    platform: Annotated[Literal["auto", "cpu", "cuda", "gpu"], Circumstance] = "auto"
    # prepared data sets and compiled programs
    cache_directory: Annotated[str, Circumstance] = "~/.cache/jaxfrost"
    compilation_cache: Annotated[bool, Circumstance] = True
    x64: bool = False
    debug_nans: Annotated[bool, Circumstance] = False
    # what one file or graph may take, bytes; null: half of what this process can have
    memory_budget: Annotated[Annotated[ByteSize, Field(gt=0)] | None, Circumstance] = None
    # prefixes of names of code that a run's record may choose; any other needs consent each time
    trusted_modules: Annotated[
        list[Annotated[str, Field(pattern=r"^\w+(\.\w+)*$")]], Circumstance,
    ] = field(default_factory=list)


@dataclass(kw_only=True)
class RunConfig:
    """What every task has that makes runs: directories of their own, several of them in a sweep."""

    dataset: DatasetConfig
    model: ModelConfig
    runtime: RuntimeConfig
    gate: Annotated[GateConfig, Product] = field(default_factory=GateConfig)
    sweep: Annotated[SweepConfig, Circumstance] = field(default_factory=SweepConfig)
    # what NumPy's RandomState takes
    seed: Annotated[int, Field(ge=0, lt=2**32), Repetition] = 0
    # how many runs: this one with seed, seed + 1, …
    seeds: Annotated[Positive, Repetition] = 1
    notes: Annotated[str, Circumstance] = ""


@dataclass(kw_only=True)
class Config(RunConfig):
    """A training, from its data to what it leaves."""

    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    trainer: TrainerConfig
    persistence: Annotated[dict[str, TargetConfig], Product]
    verification: Annotated[VerificationConfig, Product]
    restore: str | None = None     # auto, or a run, orbax step or checkpoint to go on from
    warm_start: str | None = None  # the path of a model whose variables to begin with, at step 0
