"""A view of a graph as inline SVG: boxes from top to bottom, tensors between them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from google.protobuf.message import Message

from pipeline import dtypes, graph
from pipeline.drawing.layout import Place, lay_out
from pipeline.drawing.scopes import Box, Shapes, View
from pipeline.report import quantities
from pipeline.report.markup import Markup, tag

MOST_DRAWN = 300    # boxes; a picture of more tells nobody anything

_HEIGHT, _STEP = 44.0, 84.0          # of a box; from layer to layer
_CHARACTER, _PADDING = 7.4, 26.0     # width of a character of 12 px monospace; beside the text
_LONGEST = 30                        # characters; more are cut off, and stand in the box's title
_BESIDE = 6.0                        # between a wire and its text
_MARGIN = 8.0


def draw(view: View, shapes: Shapes, link: Callable[[Box], str | None]) -> Markup:
    """The picture as wide as it needs to be; each box leads to where `link` says."""
    texts = {key: (_cut(box.title), _cut(describe(box))) for key, box in view.boxes.items()}
    widths: dict[Hashable, float] = {
        key: _PADDING + _CHARACTER * max(map(len, both)) for key, both in texts.items()}
    aside = {key for key, box in view.boxes.items()
             if all(node.op == "Const" for node in box.nodes.values())}
    layout = lay_out(widths, list(view.wires), aside)
    labels = {wire: "" if view.boxes[wire[0]].kind == "constant" else _label(tensor, shapes)
              for wire, tensor in view.wires.items() if wire in layout.routes}
    wires = [_wire(layout.routes[wire]) for wire in labels]
    texts_beside = [_text(layout.routes[wire], label) for wire, label in labels.items() if label]
    boxes = [_box(box, texts[key], widths[key], layout.places[key], link(box))
             for key, box in view.boxes.items()]
    right = max([layout.width, *(_label_end(layout.routes[wire], label)
                                 for wire, label in labels.items())])
    width, height = right + 2 * _MARGIN, (layout.layers - 1) * _STEP + _HEIGHT + 2 * _MARGIN
    drawing = tag("svg", tag("g", *wires, *texts_beside, class_="wires"), *boxes,
                  viewBox=f"{-_MARGIN:g} {-_MARGIN:g} {width:g} {height:g}",
                  width=round(width), height=round(height), role="group", aria_label="Graph")
    return tag("div", drawing, class_="scroll flow", tabindex=0)


def describe(box: Box) -> str:
    """What stands below a box's name."""
    if box.kind == "operation":
        return str(box.node.op)
    if box.kind == "constant":
        return constant_text(box.node)
    operations = sum(node.op != "Const" for node in box.nodes.values())
    return f"{quantities.count(operations)} operation{'s' if operations != 1 else ''}"


def constant_text(node: Message) -> str:
    """`784 × 500 float`: what a Const node holds."""
    tensor = node.attr["value"].tensor
    dtype = dtypes.name(tensor.dtype).removeprefix("DT_").lower()
    return f"{shape_text(graph.decode_shape(tensor.tensor_shape))} {dtype}"


def shape_text(shape: Sequence[int | None] | None) -> str:
    """`? × 28 × 28 × 16`: the batch is a question mark."""
    if shape is None:
        return "unknown"
    return " × ".join("?" if size is None else str(size) for size in shape) or "scalar"


def _label(tensor: str, shapes: Shapes) -> str:
    name, _, output = tensor.partition(":")
    return shape_text(shapes[name]) if name in shapes and output == "0" else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST - 1] + "…"


def _box(
    box: Box, texts: tuple[str, str], width: float, place: Place, href: str | None
) -> Markup:
    middle, layer = place
    top = layer * _STEP
    parts = [
        tag("title", box.name),
        tag("rect", x=round(middle - width / 2, 1), y=top, width=round(width, 1), height=_HEIGHT,
            rx=14 if box.kind == "constant" else 5),
        tag("text", texts[0], x=round(middle, 1), y=top + 18, class_="title"),
        tag("text", texts[1], x=round(middle, 1), y=top + 34),
    ]
    class_ = f"box {box.kind}" + ("" if box.inside else " outside")
    if href is None:
        return tag("g", *parts, class_=class_)
    return tag("a", *parts, href=href, class_=class_)


def _wire(points: Sequence[Place]) -> Markup:
    """From the lower edge of the first box, past the others, to the upper edge of the last."""
    x, level = points[0]
    y = level * _STEP + _HEIGHT
    path = [f"M{x:.1f},{y:g}"]
    for x_next, level_next in points[1:]:
        y_next = level_next * _STEP
        bend = (y_next - y) / 2
        path.append(f"C{x:.1f},{y + bend:g} {x_next:.1f},{y_next - bend:g} {x_next:.1f},{y_next:g}")
        x, y = x_next, y_next
        if (x_next, level_next) != points[-1]:
            y += _HEIGHT
            path.append(f"V{y:g}")
    return tag("path", d=" ".join(path))


def _text(points: Sequence[Place], label: str) -> Markup:
    """A tensor's shape, beside its wire just below where it comes from."""
    x, level = points[0]
    return tag("text", label, x=round(x + _BESIDE, 1), y=level * _STEP + _HEIGHT + 15)


def _label_end(points: Sequence[Place], label: str) -> float:
    return points[0][0] + _BESIDE + _CHARACTER * len(label)

