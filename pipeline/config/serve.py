"""What `conf/task/serve.yaml` may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from pipeline.config.dataset import DatasetConfig
from pipeline.config.model import ModelConfig
from pipeline.config.persistence import TargetConfig
from pipeline.config.schema import RuntimeConfig


@dataclass(kw_only=True)
class ServeConfig:
    """Where task=serve listens. Anyone who reaches it sees the run and may use its model."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, lt=2**16)] = 0         # 0: any that is free
    largest_upload: Annotated[int, Field(gt=0)] = 4_000_000  # bytes of a picture


@dataclass(kw_only=True)
class ServeOptions:
    """A run to serve; its own model, data set and targets unless the command line names others."""

    run: str | None = None
    dataset: DatasetConfig
    model: ModelConfig
    persistence: dict[str, TargetConfig]
    runtime: RuntimeConfig
    serve: ServeConfig = field(default_factory=ServeConfig)
