"""Warm starts: variables that begin with the values of another model's checkpoint.

An assignment map says which: name or scope in the checkpoint → name or scope in the model, as in
TensorFlow's `init_from_checkpoint`. A scope ends with a slash; `/` stands for all of either:

    {"old/": "new/"}       every variable below new/, from the tensor of the same rest below old/
    {"/": "new/"}          the same, from the checkpoint's top
    {"old/a": "new/a"}     one variable
    {"old/a": variable}    one variable, itself
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.checkpoint import log
from pipeline.checkpoint.errors import InvalidArgumentError, InvalidTypeError, NotFoundError
from pipeline.checkpoint.opening import load_checkpoint
from pipeline.checkpoint.plan import RestorePlan, plan_of, read_planned
from pipeline.checkpoint.tree import is_variable
from pipeline.checkpoint.variables import Slot, as_tree, name_of, slots_of

AssignmentMap = Mapping[str, Any] | Iterable[tuple[str, Any]]
Targets = dict[str, tuple[str, Slot]]


def plan_restore(
    ckpt_dir_or_file: str | os.PathLike[str],
    variables: Any,
    assignment_map: AssignmentMap | None = None,
    *,
    reshape: bool = False,
) -> RestorePlan:
    """What `init_from_checkpoint`, or without a map a Saver's `restore`, would do.

    Only the index is read, and nothing assigned.

    Raises:
        NotFoundError: no checkpoint there, or the map names a variable or scope that is not there.
        InvalidArgumentError: the map pairs a scope with a variable.
    """
    reader = load_checkpoint(ckpt_dir_or_file)
    targets = _targets(slots_of(variables), assignment_map or {"/": "/"})
    return plan_of(reader, targets, reshape=reshape)


def init_from_checkpoint(
    ckpt_dir_or_file: str | os.PathLike[str],
    assignment_map: AssignmentMap,
    variables: Any,
    *,
    reshape: bool = False,
    ignore_missing: bool = False,
) -> Any:
    """Assigns tensors of a checkpoint to the variables that the map names, all or none.

    A scope without variables is an error; TensorFlow loads nothing there, silently.

    Args:
        ckpt_dir_or_file: a prefix, or a directory, whose latest checkpoint is taken.
        assignment_map: see this module.
        variables: what a `Saver` takes; those that the map does not name stay as they are.
        reshape: let a tensor of another shape pass that has as many elements.
        ignore_missing: leave variables alone that the checkpoint does not have.

    Returns:
        As `Saver.restore`: a dict of the nesting of `variables`, or the assigned values by name.

    Raises:
        NotFoundError: no checkpoint, or tensors, variables or scopes that are not there.
        InvalidArgumentError: shapes or dtypes differ, or the map pairs a scope with a variable.
        DataLossError: the checkpoint is damaged.
    """
    reader = load_checkpoint(ckpt_dir_or_file)
    targets = _targets(slots_of(variables), assignment_map)
    if ignore_missing:
        for name, (key, _) in list(targets.items()):
            if not reader.has_tensor(key):
                log.warning("Variable %s missing in checkpoint %s", name, reader.prefix)
                del targets[name]
    plan_of(reader, targets, reshape=reshape).require()
    arrays = read_planned(reader, targets)
    return as_tree(variables, {name: targets[name][1].restored(arrays[name]) for name in arrays})


def _targets(slots: Mapping[str, Slot], assignment_map: AssignmentMap) -> Targets:
    pairs = assignment_map.items() if isinstance(assignment_map, Mapping) else assignment_map
    targets: Targets = {}
    for source, target in pairs:
        for name, key in _matches(slots, source, target):
            targets[name] = key, slots[name]
    return targets


def _matches(slots: Mapping[str, Slot], source: str, target: Any) -> list[tuple[str, str]]:
    """(variable, checkpoint key) for one pair of the map."""
    if is_variable(target):
        target = name_of(target)
    if not isinstance(source, str) or not isinstance(target, str):
        raise InvalidTypeError(f"assignment map pairs {source!r} with {target!r}; expected names, "
                               "scopes, or a variable on the right")
    if source.endswith("/") != target.endswith("/"):
        scope, other = (target, source) if target.endswith("/") else (source, target)
        raise InvalidArgumentError(
            f"Assignment map with scope only name {scope.rstrip('/')} should map to scope only "
            f"{other}. Should be 'scope/': 'other_scope/'.")
    if not target.endswith("/"):
        name = target.removesuffix(":0")
        if name not in slots:
            raise NotFoundError(f"assignment map: variable {name} does not exist; the model has "
                                f"{', '.join(slots) or 'none'}")
        return [(name, source)]
    scope, origin = target.removeprefix("/"), source.removeprefix("/")
    found = [(name, origin + name[len(scope):]) for name in slots if name.startswith(scope)]
    if not found:
        raise NotFoundError(f"assignment map: scope {target} has no variables; the model has "
                            f"{', '.join(slots) or 'none'}")
    return found
