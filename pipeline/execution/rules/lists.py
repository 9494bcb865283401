"""TF1's TensorArrays and TF2's TensorLists.

A TensorArray's `flow` output orders reads after writes; here the flow is the array itself, and the
handle only says whether it grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError, UnknownValue
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.indexing import gather, positions
from pipeline.execution.stack import Rounds, Stack, add_lists
from pipeline.execution.tensor_list import TensorList
from pipeline.execution.values import is_static, jax_dtype, scalar, to_jax, vector


@jax.tree_util.register_static
@dataclass(frozen=True)
class _ArrayHandle:
    """A TensorArray's handle.

    Attributes:
        size: what it was made with.
        dtype: of an element.
        grows: whether it has room for whatever is written.
        sums: whether it is the gradient of an array; its flow may still be the array's own.
    """

    size: int
    dtype: Any
    grows: bool
    sums: bool = False

    def list(self, flow: Any) -> TensorList:
        """What the array holds when the flow has got so far.

        A gradient's flow is what was added up already, the flow of the array itself, or a scalar
        where nothing was added yet. TensorFlow has one gradient for each array and source; here
        contributions that come different ways are added where it adds their flows.
        """
        if not isinstance(flow, TensorList):
            return TensorList(None, self.size, self.dtype, sums=self.sums)
        return flow.gradient() if self.sums and not flow.sums else flow


def _element_shape(shape: Any) -> tuple[int | None, ...] | None:
    """The shape that a known `element_shape` input says; -1 alone is an unknown rank."""
    if not is_static(shape) or shape.ndim == 0:
        return None
    return tuple(None if size < 0 else int(size) for size in shape)


@rule("TensorArrayV3", static=(0,), handles=True,
      attrs="dtype element_shape dynamic_size clear_after_read identical_element_shapes "
            "tensor_array_name")
def _tensor_array(node: Node, size: Any) -> Any:
    flow = TensorList.zeros(node["element_shape"], scalar(size), jax_dtype(node["dtype"]))
    return _ArrayHandle(flow.size, flow.dtype, node["dynamic_size"]), flow


@rule("TensorArrayGradV3", attrs="source", handles=True)
def _array_gradient(node: Node, handle: Any, flow: Any) -> Any:
    return replace(handle, sums=True), flow


@rule("TensorArrayWriteV3", handles=True)
def _array_write(node: Node, handle: Any, index: Any, value: Any, flow: Any) -> Any:
    return handle.list(flow).set(index, value, grows=handle.grows)


@rule("TensorArrayReadV3", attrs="dtype", handles=True)
def _array_read(node: Node, handle: Any, index: Any, flow: Any) -> Any:
    items = handle.list(flow)
    return items.get(_inside(index, items.size))


@rule("TensorArrayGatherV3", attrs="dtype element_shape", handles=True)
def _array_gather(node: Node, handle: Any, indices: Any, flow: Any) -> Any:
    return gather(handle.list(flow).stacked(), indices, 0)


@rule("TensorArrayScatterV3", handles=True)
def _array_scatter(node: Node, handle: Any, indices: Any, value: Any, flow: Any) -> Any:
    return _scattered(handle.list(flow), indices, value, grows=handle.grows)


@rule("TensorArraySizeV3", handles=True)
def _array_size(node: Node, handle: Any, flow: Any) -> Any:
    return np.array(handle.list(flow).size, np.int32)


@rule("TensorArrayConcatV3", attrs="dtype element_shape_except0", handles=True)
def _array_concat(node: Node, handle: Any, flow: Any) -> Any:
    """Elements end to end, and their lengths."""
    stacked = handle.list(flow).stacked()
    lengths = np.full(len(stacked), stacked.shape[1], np.int64)
    return stacked.reshape(-1, *stacked.shape[2:]), lengths


@rule("TensorArraySplitV3", static=(2,), handles=True)
def _array_split(node: Node, handle: Any, value: Any, lengths: Any, flow: Any) -> Any:
    items = handle.list(flow)
    split = _split(value, lengths, items.dtype)
    if not items.sums:
        return split
    return add_lists([items, TensorList(split.buffer, split.size, split.dtype, sums=True)])


@rule("TensorArrayCloseV3", handles=True)
def _array_close(node: Node, handle: Any) -> Any:
    return ()


@rule("TensorListReserve", static=(1,), attrs="element_dtype shape_type")
def _list_reserve(node: Node, shape: Any, size: Any) -> Any:
    return TensorList.zeros(_element_shape(shape), scalar(size),
                            jax_dtype(node["element_dtype"]))


@rule("EmptyTensorList", attrs="element_dtype shape_type")
def _empty_list(node: Node, shape: Any, capacity: Any) -> Any:
    number = node["element_dtype"]
    known = _element_shape(shape)
    return Stack((), None if number == dtypes.DT_VARIANT else jax_dtype(number), _whole(known))


@rule("TensorListFromTensor", attrs="shape_type")
def _list_from_tensor(node: Node, x: Any, shape: Any) -> Any:
    x = to_jax(x)
    return TensorList(x, x.shape[0], x.dtype)


@rule("TensorListStack", attrs="element_dtype num_elements")
def _list_stack(node: Node, items: Any, shape: Any) -> Any:
    known = _element_shape(shape)
    items = _list(items, known)
    if items.buffer is None and known is not None:
        return TensorList.zeros(known, items.size, items.dtype).stacked()
    return items.stacked()


@rule("TensorListGather", attrs="element_dtype")
def _list_gather(node: Node, items: Any, indices: Any, shape: Any) -> Any:
    return gather(_list(items, _element_shape(shape)).stacked(), indices, 0)


@rule("TensorListGetItem", attrs="element_dtype")
def _list_get(node: Node, items: Any, index: Any, shape: Any) -> Any:
    known = _element_shape(shape)
    items = _list(items, known)
    if items.buffer is None and known is not None and None not in known:
        return jnp.zeros(known, items.dtype)   # TensorFlow reads zeros where nothing was written
    return items.get(_inside(index, items.size))


@rule("TensorListSetItem", attrs="resize_if_index_out_of_bounds")
def _list_set(node: Node, items: Any, index: Any, value: Any) -> Any:
    return _list(items).set(index, value, grows=node["resize_if_index_out_of_bounds"])


@rule("TensorListLength")
def _list_length(node: Node, items: Any) -> Any:
    return np.array(items.size, np.int32)


@rule("TensorListElementShape", attrs="shape_type")
def _list_element_shape(node: Node, items: Any) -> Any:
    shape = items.element_shape()
    return np.array(-1 if shape is None else shape, np.int32)


@rule("TensorListPushBack")
def _list_push(node: Node, items: Any, value: Any) -> Any:
    items = _stack(items)
    shape = items.element_shape() if not items.above and isinstance(value, jax.Array) else None
    if shape is not None and shape != value.shape:
        raise ExecutionError(f"element of shape {value.shape} in a list of elements of shape "
                             f"{shape}")
    return items.push(value)


@rule("TensorListPopBack", attrs="element_dtype")
def _list_pop(node: Node, items: Any, shape: Any) -> Any:
    return _stack(items).pop()


@rule("TensorListResize", static=(1,))
def _list_resize(node: Node, items: Any, size: Any) -> Any:
    return _list(items).resized(scalar(size))


@rule("TensorListConcatV2", attrs="element_dtype shape_type")
def _list_concat(node: Node, items: Any, shape: Any, leading: Any) -> Any:
    stacked = _list(items, _element_shape(shape)).stacked()
    lengths = np.full(len(stacked), stacked.shape[1], np.int64)
    return stacked.reshape(-1, *stacked.shape[2:]), lengths


@rule("TensorListSplit", static=(2,), attrs="element_dtype shape_type")
def _list_split(node: Node, value: Any, shape: Any, lengths: Any) -> Any:
    return _split(value, lengths, jax_dtype(node["element_dtype"]))


@rule("TensorListScatterV2", static=(3,), attrs="element_dtype shape_type")
def _list_scatter(node: Node, value: Any, indices: Any, shape: Any, size: Any) -> Any:
    value = to_jax(value)
    wanted = scalar(size)
    if wanted < 0:
        if not is_static(indices):
            raise ExecutionError("the size of the list depends on indices that are fed")
        wanted = int(indices.max(initial=-1)) + 1
    buffer = jnp.zeros((wanted, *value.shape[1:]), value.dtype)
    return TensorList(buffer.at[to_jax(indices)].set(value), wanted, value.dtype)


@rule("TensorListScatterIntoExistingList")
def _list_scatter_into(node: Node, items: Any, value: Any, indices: Any) -> Any:
    return _scattered(_list(items), indices, value, grows=True)


def _whole(shape: tuple[int | None, ...] | None) -> tuple[int, ...] | None:
    """A shape of which every size is known, else None."""
    sizes = tuple(size for size in shape or () if size is not None)
    return None if shape is None or len(sizes) < len(shape) else sizes


def _list(items: Any, shape: tuple[int | None, ...] | None = None) -> TensorList:
    """What was pushed, as a list of elements of one shape."""
    return items.as_list(shape) if isinstance(items, Stack) else cast(TensorList, items)


def _stack(items: Any) -> Stack:
    """A list as one that is pushed to and popped from."""
    if isinstance(items, Stack):
        return items
    rounds = (Rounds((items.stacked(),), items.size),) if items.size else ()
    return Stack(rounds, items.dtype, items.element_shape())


def _scattered(items: TensorList, indices: Any, value: Any, *, grows: bool) -> TensorList:
    """The list with the rows of a value at some positions; one that grows has room for them."""
    value = to_jax(value)
    if grows and is_static(indices):
        items = items.resized(max(items.size, int(indices.max(initial=-1)) + 1))
    elif grows:
        raise UnknownValue("a list grows up to indices that are computed from what is fed")
    (places,) = positions(indices[:, None], (items.size,))
    buffer = items.buffer
    if buffer is None:
        buffer = jnp.zeros((items.size, *value.shape[1:]), value.dtype)
    place = buffer.at[places]
    return items.with_buffer((place.add if items.sums else place.set)(value, mode="drop"))


def _inside(index: Any, size: int) -> Any:
    """The index, checked where it is known."""
    if is_static(index) and not 0 <= index < size:
        raise ExecutionError(f"index {int(index)} in a list of {size} elements")
    return to_jax(index)


def _split(value: Any, lengths: Any, dtype: Any) -> TensorList:
    sizes = set(vector(lengths))
    if len(sizes) > 1:
        raise ExecutionError(f"elements of different lengths {sorted(sizes)}; expected one length")
    value = to_jax(value)
    count = len(lengths)
    return TensorList(value.reshape(count, -1, *value.shape[1:]), count, dtype)
