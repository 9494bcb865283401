"""`python -m pipeline.checkpoint PATH`: what is in a checkpoint, or what else a file is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pipeline.checkpoint.description import Description, TensorInfo, describe
from pipeline.checkpoint.difference import compare_checkpoints
from pipeline.checkpoint.errors import CheckpointError
from pipeline.checkpoint.recognise import recognise


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what was asked for.

    Returns:
        0; 1 where something is damaged, or where two checkpoints differ; 2 where nothing could be
        read.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.checkpoint", description=__doc__)
    parser.add_argument("path", help="prefix, .index, directory, SavedModel, orbax step, .pb, …")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--verify", action="store_true", help="read everything, check checksums")
    parser.add_argument("--stats", action="store_true", help="minimum, maximum, mean, …")
    parser.add_argument("--diff", metavar="OTHER", help="what changed from PATH to OTHER")
    options = parser.parse_args(arguments)
    try:
        if options.diff is not None:
            return _print_difference(options.path, options.diff, as_json=options.json)
        found = describe(options.path, verify=options.verify, statistics=options.stats)
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return 2
    print(found.to_json() if options.json else format_description(found))
    return 1 if found.damaged else 0


def _print_difference(first: str, second: str, *, as_json: bool) -> int:
    difference = compare_checkpoints(recognise(first).path, recognise(second).path)
    print(difference.to_json() if as_json else difference)
    return 1 if difference else 0


def format_description(found: Description) -> str:
    """The description as text: a heading, notes, and a table of tensors."""
    lines = [f"{found.path}: {found.kind.value}", *(f"  {note}" for note in found.notes if note)]
    rows = [_row(tensor) for tensor in found.tensors]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    if found.tensors:
        sizes = [tensor.size for tensor in found.tensors if tensor.size is not None]
        lines.append(f"{len(found.tensors)} tensors" + (f", {sum(sizes)} bytes" if sizes else ""))
    return "\n".join(lines)


def _row(tensor: TensorInfo) -> tuple[str, ...]:
    shape = "" if tensor.shape is None else str(list(tensor.shape)).replace(" ", "")
    figures, extra = tensor.statistics, ""
    if tensor.damage:
        extra = f"DAMAGED {tensor.damage}"
    elif figures is not None and figures.mean is not None:
        extra = (f"{figures.minimum:.4g} … {figures.maximum:.4g}, mean {figures.mean:.4g} ± "
                 f"{figures.deviation:.4g}, {figures.zeros} zeros")
    if figures is not None and figures.not_finite:
        extra += f" {figures.not_finite} NaN or infinite"
    parts = f"{tensor.slices} slices" if tensor.slices else ""
    size = "" if tensor.size is None else str(tensor.size)
    return tensor.name, tensor.dtype or "", shape, size, parts, extra


if __name__ == "__main__":
    sys.exit(main())
