"""What `conf/task/predict.yaml` and `conf/task/serve.yaml` may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field


@dataclass(kw_only=True)
class PredictConfig:
    """How task=predict says what it found."""

    format: Literal["json", "table"] = "json"


@dataclass(kw_only=True)
class ServeConfig:
    """Where task=serve listens. Anyone who reaches it sees the run and may use its model."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, lt=2**16)] = 0         # 0: any that is free
    largest_upload: Annotated[int, Field(gt=0)] = 4_000_000  # bytes of a picture
