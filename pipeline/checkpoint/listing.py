"""A description as text for a terminal."""

from __future__ import annotations

from pipeline.checkpoint.description import Description, TensorInfo


def format_description(found: Description) -> str:
    """The description as text: a heading, notes, and a table of tensors."""
    lines = [f"{found.path}: {found.kind.value}", *(f"  {note}" for note in found.notes if note)]
    lines += [f"  DAMAGED {damage}" for damage in found.damage]
    rows = [_row(tensor) for tensor in found.tensors]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    if found.tensors:
        sizes = [tensor.size for tensor in found.tensors if tensor.size is not None]
        plural = "" if len(found.tensors) == 1 else "s"
        lines.append(f"{len(found.tensors)} tensor{plural}"
                     + (f", {sum(sizes)} bytes" if sizes else ""))
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
