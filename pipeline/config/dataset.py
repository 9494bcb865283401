"""What `conf/dataset/*.yaml` may hold: a source of examples by its name, with the keys it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from pipeline.config.consent import CodeName
from pipeline.config.roles import Circumstance

Count: TypeAlias = Annotated[int, Field(ge=0)]
Positive: TypeAlias = Annotated[int, Field(gt=0)]
# A whole number of examples, or a fraction of them below 1.
Share: TypeAlias = Count | Annotated[float, Field(ge=0.0, lt=1.0)]
Names: TypeAlias = Annotated[list[str], Field(min_length=2)]


@dataclass(kw_only=True)
class PublishedConfig:
    """MNIST and its relatives. All ways to them give the same arrays in IDX order."""

    name: Literal["digits", "mnist", "fashion_mnist", "kmnist"]
    # of four IDX files; without it TFDS prepares the data once
    directory: Annotated[str | None, Circumstance] = None
    validation_size: Count         # the first examples of the training file
    cache: Annotated[bool, Circumstance] = True  # keep one array file beside the prepared TFDS data


@dataclass(kw_only=True)
class OwnConfig:
    """What every source of a user's own data takes besides where they are."""

    # examples, or a fraction, taken at random from those for training, where the source has none
    validation_size: Share = 0.1
    test_size: Share = 0.2         # the same, from all; asked for only where the source has none
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    classes: Names | None = None   # names by label; null: as the source has them, or numbers
    # by mean and deviation of the training split, per channel or feature, inside the model: its
    # exported graphs take values as they are
    standardize: bool = False


@dataclass(kw_only=True)
class IdxConfig(OwnConfig):
    """Four IDX files under MNIST's names, or the two for training, of images of any size."""

    name: Literal["idx"]
    directory: str


@dataclass(kw_only=True)
class NpzConfig(OwnConfig):
    """Arrays that NumPy saved: one `.npz`, or a directory of `.npy` files."""

    name: Literal["npz"]
    path: str


@dataclass(kw_only=True)
class FolderConfig(OwnConfig):
    """Pictures: a folder a class, or `train/` and `test/` above them."""

    name: Literal["folder"]
    directory: str
    # of all pictures, height and width; null: they must have one size
    size: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    # how a picture of another size is brought to `size`
    resize: Literal["refuse", "stretch", "pad", "crop"] = "refuse"
    channels: Literal["auto", "grey", "colour"] = "auto"   # auto: grey if every picture is


@dataclass(kw_only=True)
class TableConfig(OwnConfig):
    """Rows of numbers, `.csv` or `.parquet`: one column is the label, the others are features."""

    name: Literal["table"]
    path: str
    test_path: str | None = None   # another file of the same columns
    label: str | None = None       # the column; null: label, class, target or y
    ignore: list[str] = field(default_factory=list)   # columns that are no features
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","   # of a .csv


@dataclass(kw_only=True)
class FunctionConfig(OwnConfig):
    """A function of the user's that returns the examples."""

    name: Literal["function"]
    function: CodeName             # package.module:load
    arguments: dict[str, Any] = field(default_factory=dict)


OwnSource: TypeAlias = IdxConfig | NpzConfig | FolderConfig | TableConfig | FunctionConfig
DatasetConfig: TypeAlias = Annotated[PublishedConfig | OwnSource, Field(discriminator="name")]
