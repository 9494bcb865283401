"""The nodes by which a graph saves and restores its variables, and the SaverDef that names them.

    save/Const (file name) → save/SaveV2 → save/control_dependency
                           → save/RestoreV2 → save/Assign, … → save/restore_all
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message
from tensorboard.compat.proto.saver_pb2 import SaverDef

from pipeline import dtypes
from pipeline.graph.assembly import Assembly
from pipeline.graph.variables import GraphVariable

_STRING = dtypes.NUMBER["STRING"]


def add_saver(
    assembly: Assembly,
    variables: Sequence[GraphVariable],
    *,
    scope: str = "save",
    restore_each: bool = False,
    restore_device: str = "/device:CPU:0",
    max_to_keep: int = 5,
    keep_checkpoint_every_n_hours: float = 10000.0,
) -> Message:
    """Nodes that save and restore the variables, sorted by name; returns the SaverDef.

    Args:
        assembly: the graph.
        variables: those to save.
        scope: the prefix of the nodes; a second Saver's is `save_1`.
        restore_each: a RestoreV2 for each variable, as TensorFlow up to 1.3 wrote; or one for all.
        restore_device: of the nodes that read the file.
        max_to_keep: how many checkpoints a Saver made from this keeps; 0 for all.
        keep_checkpoint_every_n_hours: of those it would delete, one in that time stays.
    """
    ordered = sorted(variables, key=lambda variable: variable.declaration.name)
    filename = assembly.constant(f"{scope}/Const", "model", _STRING)
    _add_save(assembly, scope, filename, ordered)
    restored = _add_restore_each(assembly, scope, filename, ordered) if restore_each \
        else _add_restore(assembly, scope, filename, ordered, restore_device)
    assembly.add("NoOp", f"{scope}/restore_all", *(f"^{name}" for name in restored))
    return SaverDef(
        filename_tensor_name=f"{scope}/Const:0",
        save_tensor_name=f"{scope}/control_dependency:0",
        restore_op_name=f"{scope}/restore_all", max_to_keep=max_to_keep,
        keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours, version=SaverDef.V2)


def _add_names(
    assembly: Assembly, prefix: str, variables: Sequence[GraphVariable], device: str = ""
) -> tuple[str, str]:
    """The constants that say which tensors, whole ones."""
    keys = np.array([variable.declaration.name for variable in variables], object)
    names = assembly.constant(f"{prefix}/tensor_names", keys, _STRING)
    slices = assembly.constant(f"{prefix}/shape_and_slices", np.full(len(keys), "", object),
                               _STRING)
    for node in assembly.nodes[-2:]:
        node.device = device
    return names, slices


def _add_save(
    assembly: Assembly, scope: str, filename: str, variables: Sequence[GraphVariable]
) -> None:
    keys = _add_names(assembly, f"{scope}/SaveV2", variables)
    values = [variable.read if variable.is_resource else variable.declaration.name
              for variable in variables]
    save = assembly.add("SaveV2", f"{scope}/SaveV2", filename, *keys, *values)
    assembly.add("Identity", f"{scope}/control_dependency", filename, f"^{save}", shapes=[()],
                 beside=filename)


def _add_restore(
    assembly: Assembly, scope: str, filename: str, variables: Sequence[GraphVariable], device: str
) -> list[str]:
    node = f"{scope}/RestoreV2"
    keys = _add_names(assembly, node, variables, device)
    assembly.add("RestoreV2", node, filename, *keys, device=device,
                 shapes=[None] * len(variables),
                 dtypes=[variable.declaration.number for variable in variables])
    return _add_assigns(assembly, scope, variables, [
        f"{node}:{index}" if index else node for index in range(len(variables))])


def _add_restore_each(
    assembly: Assembly, scope: str, filename: str, variables: Sequence[GraphVariable]
) -> list[str]:
    restored = []
    for index, variable in enumerate(variables):
        node = _numbered(f"{scope}/RestoreV2", index)
        keys = _add_names(assembly, node, [variable])
        assembly.add("RestoreV2", node, filename, *keys, shapes=[None],
                     dtypes=[variable.declaration.number])
        restored += _add_assigns(assembly, scope, [variable], [node], first=index)
    return restored


def _add_assigns(
    assembly: Assembly, scope: str, variables: Sequence[GraphVariable], values: Sequence[str],
    first: int = 0,
) -> list[str]:
    names = []
    for index, (variable, value) in enumerate(zip(variables, values, strict=True), first):
        target = variable.declaration.name
        if variable.is_resource:
            value = assembly.add("Identity", _numbered(f"{scope}/Identity", index), value,
                                 shapes=[None])
            names.append(assembly.add(
                "AssignVariableOp", _numbered(f"{scope}/AssignVariableOp", index), target, value))
        else:
            names.append(assembly.add(
                "Assign", _numbered(f"{scope}/Assign", index), target, value, beside=target,
                shapes=[variable.declaration.shape], write_defaults=True))
    return names


def _numbered(name: str, index: int) -> str:
    return f"{name}_{index}" if index else name
