"""SaverDef: how a graph saves and restores itself, as a MetaGraph carries it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SaverDef:
    """The fields of TensorFlow's message of that name, with the Saver's defaults.

    The names are those of the first Saver of a graph; a second one's begin with `save_1/`.
    """

    filename_tensor_name: str = "save/Const:0"
    save_tensor_name: str = "save/control_dependency:0"
    restore_op_name: str = "save/restore_all"
    max_to_keep: int = 5
    sharded: bool = False
    keep_checkpoint_every_n_hours: float = 10000.0
    version: str = "V2"

    def __str__(self) -> str:
        """The message's text form, as `str(saver.as_saver_def())` gives in TensorFlow."""
        lines = [
            f'filename_tensor_name: "{self.filename_tensor_name}"',
            f'save_tensor_name: "{self.save_tensor_name}"',
            f'restore_op_name: "{self.restore_op_name}"',
        ]
        if self.max_to_keep:
            lines.append(f"max_to_keep: {self.max_to_keep}")
        if self.sharded:
            lines.append("sharded: true")
        if self.keep_checkpoint_every_n_hours:
            lines.append(f"keep_checkpoint_every_n_hours: {self.keep_checkpoint_every_n_hours:g}")
        return "\n".join([*lines, f"version: {self.version}", ""])
