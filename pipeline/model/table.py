"""A network's variables as a table: what `task=inspect model=…` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.model.network import Network
from pipeline.scopes import VariableSpec
from pipeline.terminal import open_console


@dataclass(frozen=True)
class Row:
    """One variable: `name` is its full TF1 name without `:0`, `scope` all but its last part."""

    scope: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    count: int
    trainable: bool
    penalty: str                  # what regularizes it: L2(scale=0.0001)
    collections: tuple[str, ...]


def variable_table(network: Network) -> list[Row]:
    """One row per variable, in the order of creation."""
    return [_row(spec) for spec in network.specs.values()]


def render(rows: Sequence[Row]) -> Table:
    """The rows under their scopes, with counts of numbers per scope and in all."""
    total = sum(row.count for row in rows)
    trained = sum(row.count for row in rows if row.trainable)
    table = Table(box=SIMPLE, show_footer=True, pad_edge=False)
    table.add_column("variable", f"{len(rows)} variables", no_wrap=True)
    table.add_column("shape", justify="right", no_wrap=True)
    table.add_column("dtype", no_wrap=True)
    table.add_column("numbers", f"{total:,}", justify="right", no_wrap=True)
    penalised = any(row.penalty for row in rows)
    if penalised:
        table.add_column("penalty")
    table.add_column("collections", f"{trained:,} trainable", overflow="fold")
    for scope, members in groupby(rows, key=lambda row: row.scope):
        inside = list(members)
        if scope:
            count = sum(row.count for row in inside)
            table.add_row(f"[bold]{scope}[/bold]", "", "", f"[dim]{count:,}[/dim]")
        for row in inside:
            table.add_row(*_cells(row), *([row.penalty] if penalised else []),
                          ", ".join(row.collections))
    return table


def print_variable_table(network: Network) -> None:
    """Prints the table; wide enough for one line a variable where the output is no terminal."""
    console = open_console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(f"{network.name}: {list(network.input_shape)} → {network.num_classes} classes",
                  highlight=False)
    console.print(render(variable_table(network)))


def _row(spec: VariableSpec) -> Row:
    scope = spec.name.rpartition("/")[0]
    return Row(scope, spec.name, spec.shape, spec.dtype.name, spec.size, spec.trainable,
               repr(spec.regularizer) if spec.regularizer else "", spec.collections)


def _cells(row: Row) -> list[str]:
    indent = "  " if row.scope else ""
    last = row.name.removeprefix(f"{row.scope}/")
    return [
        f"{indent}{last}", " × ".join(map(str, row.shape)) or "scalar", row.dtype, f"{row.count:,}",
    ]
