"""What an installation without extras lacks, and which extra brings it.

`pip install jaxfrost` reads, writes and lists TensorFlow checkpoints; `jaxfrost[jax]` adds scopes,
lowering and execution, `jaxfrost[train]` the whole pipeline. Tests hold this table against what is
imported and against what pyproject.toml declares.
"""

from __future__ import annotations

from pipeline.errors import PipelineError

# The name that is imported → the extra that declares its distribution.
EXTRA_OF = {
    **dict.fromkeys(("jax", "jaxlib", "flax", "google.protobuf", "tensorboard"), "jax"),
    **dict.fromkeys(("optax", "orbax", "tensorstore", "hydra", "omegaconf", "pydantic",
                     "pydantic_core", "yaml", "tensorflow_datasets", "PIL", "scipy", "rich",
                     "matplotlib"), "train"),
    "optuna": "optuna",
    "pyarrow": "parquet",
    "jax2onnx": "onnx",
    "onnxruntime": "onnx",
    "ai_edge_litert": "tflite",
    "flatbuffers": "tflite",
}


class MissingExtra(PipelineError, ImportError):
    """A package of an extra that was not installed."""


def explain(missing: ModuleNotFoundError, wanted: str = "this") -> MissingExtra | None:
    """What to install; None for a module that no extra of ours brings.

    Args:
        missing: as Python raised it.
        wanted: what needs the module, in words.
    """
    name = missing.name or ""
    for known, extra in EXTRA_OF.items():
        if f"{name}.".startswith(f"{known}.") or name == known.partition(".")[0]:
            return MissingExtra(
                f"{wanted} needs {known}, which is not installed; pip install 'jaxfrost[{extra}]'")
    return None
