"""Hash tables: what makes, fills and reads them. A table is held as variables are.

Sources: tensorflow/core/ops/lookup_ops.cc, tensorflow/core/kernels/lookup_table_op.cc,
lookup_util.cc (text files).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.execution.errors import ExecutionError
from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.tables import Table
from pipeline.execution.values import Handle
from pipeline.reading import read_bytes

_TYPES = "container shared_name use_node_name_sharing key_dtype value_dtype"
_LINE_NUMBER, _WHOLE_LINE = -1, -2    # lookup_util.h, kLineNumber and kWholeLine


@rule("HashTable", "HashTableV2", attrs=_TYPES, variable=True)
def _table(node: Node) -> Any:
    return Handle(node.name, is_ref=False)


@rule("MutableHashTable", "MutableHashTableV2", "MutableHashTableOfTensors",
      "MutableHashTableOfTensorsV2", "MutableDenseHashTableV2", "AnonymousMutableHashTable",
      attrs=f"{_TYPES} value_shape initial_num_buckets max_load_factor", variable=True,
      takes_run=True)
def _mutable_table(node: Node, run: Run, *keys: Any) -> Any:
    """Empty at first; a dense table's two keys that it keeps for itself do not matter here."""
    shape = tuple(size or 0 for size in node.attrs.get("value_shape") or ())
    run.variables.setdefault(node.name, Table.empty(
        node["key_dtype"], node["value_dtype"], shape))
    return Handle(node.name, is_ref=False)


def _held(run: Run, handle: Any) -> Table:
    if not isinstance(handle, Handle):
        raise ExecutionError("is no table")
    if handle.name not in run.variables:
        raise ExecutionError(f"Table not initialized: {handle.name}; run what fills it")
    table: Table = run.variables[handle.name]
    return table


@rule("InitializeTable", "InitializeTableV2", "LookupTableImport", "LookupTableImportV2",
      static=(1, 2), attrs="Tkey Tval Tin Tout", writes=True, takes_run=True, handles=True)
def _fill(node: Node, run: Run, handle: Any, keys: Any, values: Any) -> Any:
    """Importing forgets what was there; so does nobody's second initializer of one table."""
    if keys.size and values.shape[:keys.ndim] != keys.shape:
        raise ExecutionError(f"keys of shape {keys.shape} for values of shape {values.shape}")
    empty = Table(keys.ravel()[:0], values.reshape(
        keys.size, *values.shape[keys.ndim:])[:0])
    run.variables[handle.name] = empty.with_entries(
        keys, values, replace=node.op.startswith("LookupTableImport"))
    return ()


@rule("LookupTableInsert", "LookupTableInsertV2", static=(1, 2), attrs="Tin Tout", writes=True,
      takes_run=True, handles=True)
def _insert(node: Node, run: Run, handle: Any, keys: Any, values: Any) -> Any:
    run.variables[handle.name] = _held(run, handle).with_entries(keys, values, replace=True)
    return ()


@rule("LookupTableRemoveV2", static=(1,), attrs="Tin", writes=True, takes_run=True, handles=True)
def _remove(node: Node, run: Run, handle: Any, keys: Any) -> Any:
    run.variables[handle.name] = _held(run, handle).without(keys)
    return ()


@rule("LookupTableFind", "LookupTableFindV2", attrs="Tin Tout", takes_run=True, handles=True)
def _find(node: Node, run: Run, handle: Any, keys: Any, default: Any) -> Any:
    return _held(run, handle).find(keys, default)


@rule("LookupTableSize", "LookupTableSizeV2", takes_run=True, handles=True)
def _size(node: Node, run: Run, handle: Any) -> Any:
    return np.int64(len(_held(run, handle)))


@rule("LookupTableExport", "LookupTableExportV2", attrs="Tkeys Tvalues", takes_run=True,
      handles=True)
def _export(node: Node, run: Run, handle: Any) -> Any:
    table = _held(run, handle)
    return table.keys, table.values


@rule("InitializeTableFromTextFile", "InitializeTableFromTextFileV2", static=(1,),
      attrs="key_index value_index vocab_size delimiter offset", writes=True, takes_run=True,
      handles=True)
def _fill_from_file(node: Node, run: Run, handle: Any, filename: Any) -> Any:
    """One entry a line; -2 is the whole line, -1 its number, others a column of it."""
    path = Path(filename.item().decode("utf-8", "surrogateescape"))
    lines = read_bytes(path).split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if node["vocab_size"] != -1:
        if len(lines) < node["vocab_size"]:
            raise ExecutionError(f"{path}: {len(lines)} lines; expected {node['vocab_size']}")
        lines = lines[:node["vocab_size"]]
    lines = lines[node.attrs.get("offset", 0):]
    keys, values = (_column(node, path, lines, node[key]) for key in ("key_index", "value_index"))
    empty = Table(keys[:0], values[:0])
    run.variables[handle.name] = empty.with_entries(keys, values, replace=False)
    return ()


def _column(node: Node, path: Path, lines: list[bytes], index: int) -> Any:
    if index == _LINE_NUMBER:
        return np.arange(len(lines), dtype=np.int64)
    found = np.empty(len(lines), np.object_)
    found[:] = lines if index == _WHOLE_LINE else [
        _part(path, line, node["delimiter"].encode(), index) for line in lines]
    return found


def _part(path: Path, line: bytes, delimiter: bytes, index: int) -> bytes:
    parts = line.split(delimiter)
    if index >= len(parts):
        raise ExecutionError(f"{path}: Invalid number of columns in line {line!r}; expected "
                             f"at least {index + 1}")
    return parts[index]

