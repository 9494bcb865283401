"""Strings, where they are known: they never enter a compiled function.

Sources: tensorflow/core/kernels/as_string_op.cc, string_split_op.cc, substr_op.cc,
string_to_number_op.cc, regex_replace_op.cc, string_to_hash_bucket_fast_op.h, decode_raw_op.cc.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline import dtypes
from pipeline.execution.errors import ExecutionError
from pipeline.execution.fingerprint import fingerprint
from pipeline.execution.registry import Node, rule

_SPACE = b" \t\n\v\f\r"


def _each(function: Callable[[bytes], bytes], x: Any) -> Any:
    found = np.empty(x.shape, np.object_)
    found.ravel()[:] = [function(text) for text in x.ravel().tolist()]
    return found


@rule("StringJoin", attrs="separator N", folds=True)
def _join(node: Node, *parts: Any) -> Any:
    """Scalars are repeated."""
    shapes = {part.shape for part in parts if part.shape}
    if len(shapes) > 1:
        raise ExecutionError(f"joins strings of shapes {sorted(shapes)}; expected one")
    shape = next(iter(shapes), ())
    found = np.empty(shape, np.object_)
    rows = [np.broadcast_to(part, shape).ravel().tolist() for part in parts]
    found.ravel()[:] = [node["separator"].encode().join(row) for row in zip(*rows, strict=True)]
    return found


@rule("ReduceJoin", static=(0, 1), attrs="keep_dims separator", folds=True)
def _reduce_join(node: Node, x: Any, axes: Any) -> Any:
    """The first of the axes given is the one that runs fastest."""
    order = [int(axis) % x.ndim for axis in np.atleast_1d(axes)] or list(range(x.ndim))[:0]
    kept = [axis for axis in range(x.ndim) if axis not in order]
    moved = x.transpose([*kept, *order[::-1]]).reshape(*(x.shape[axis] for axis in kept), -1)
    shape = [1 if axis in order else size for axis, size in enumerate(x.shape)]
    found = np.empty(moved.shape[:-1], np.object_)
    rows = moved.reshape(-1, moved.shape[-1]).tolist()
    found.ravel()[:] = [node["separator"].encode().join(row) for row in rows]
    return found.reshape(shape) if node["keep_dims"] else found


@rule("StringLower", "StringUpper", attrs="encoding", folds=True)
def _cased(node: Node, x: Any) -> Any:
    lower = node.op == "StringLower"
    if node["encoding"] == "utf-8":
        return _each(lambda text: (str.lower if lower else str.upper)(
            text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"), x)
    return _each(bytes.lower if lower else bytes.upper, x)


@rule("StringStrip", folds=True)
def _strip(node: Node, x: Any) -> Any:
    return _each(lambda text: text.strip(_SPACE), x)


@rule("StringLength", static=(0,), attrs="unit", folds=True)
def _length(node: Node, x: Any) -> Any:
    return np.array([len(_units(node, text)) for text in x.ravel().tolist()],
                    np.int32).reshape(x.shape)


def _units(node: Node, text: bytes) -> bytes | str:
    return text.decode("utf-8", "replace") if node["unit"] == "UTF8_CHAR" else text


@rule("Substr", static=(0, 1, 2), attrs="unit T", folds=True)
def _substr(node: Node, x: Any, place: Any, size: Any) -> Any:
    """Negative places count from the end; what begins beyond a string is refused."""
    x, place, size = np.broadcast_arrays(x, place, size)
    found = np.empty(x.shape, np.object_)
    found.ravel()[:] = [_part(node, *each) for each in zip(
        x.ravel().tolist(), place.ravel().tolist(), size.ravel().tolist(), strict=True)]
    return found


def _part(node: Node, text: bytes, place: int, size: int) -> bytes:
    units = _units(node, text)
    begin = place + len(units) if place < 0 else place
    if not 0 <= begin <= len(units):
        raise ExecutionError(f"pos {place} out of range for string {text!r}")
    cut = units[begin:begin + max(size, 0)]
    return cut.encode() if isinstance(cut, str) else cut


@rule("StringSplitV2", static=(0, 1), attrs="maxsplit", folds=True)
def _split_v2(node: Node, x: Any, separator: Any) -> Any:
    """Without a separator at whitespace, where empty parts do not count."""
    by = separator.item()
    most = node["maxsplit"] if node["maxsplit"] > 0 else -1
    if not by:
        rows = [_spaced(text, most) for text in x.tolist()]
    else:
        rows = [text.split(by, most) for text in x.tolist()]
    return _as_sparse(rows)


def _spaced(text: bytes, most: int) -> list[bytes]:
    """After `most` parts what is left is one more, even if nothing is (SplitV2 of the kernel)."""
    left, found = text.lstrip(_SPACE), list[bytes]()
    while left:
        part = left.split(None, 1)[0]
        found.append(part)
        left = left[len(part):].lstrip(_SPACE)
        if len(found) == most:
            return [*found, left]
    return found


@rule("StringSplit", static=(0, 1), attrs="skip_empty", folds=True)
def _split(node: Node, x: Any, delimiters: Any) -> Any:
    """At every one of the delimiters; with none, into bytes."""
    letters = delimiters.item()
    rows = []
    for text in x.tolist():
        parts = re.split(b"[" + re.escape(letters) + b"]", text) if letters else [
            text[place:place + 1] for place in range(len(text))]
        # of an empty text nothing, though the split of one has an empty part
        rows.append([part for part in parts if part or (text and not node["skip_empty"])])
    return _as_sparse(rows)


def _as_sparse(rows: Sequence[Sequence[bytes]]) -> tuple[Any, Any, Any]:
    places = [(row, column) for row, parts in enumerate(rows) for column in range(len(parts))]
    values = np.empty(len(places), np.object_)
    values[:] = [part for parts in rows for part in parts]
    shape = np.array([len(rows), max(map(len, rows), default=0)], np.int64)
    return np.array(places, np.int64).reshape(-1, 2), values, shape


@rule("StringToNumber", static=(0,), attrs="out_type", folds=True)
def _to_number(node: Node, x: Any) -> Any:
    wanted = dtypes.to_numpy(node["out_type"])
    found = [_number(text, wanted) for text in x.ravel().tolist()]
    return np.array(found, wanted).reshape(x.shape)


def _number(text: bytes, wanted: np.dtype[Any]) -> Any:
    try:
        written = text.strip(_SPACE).decode("ascii")
        if "_" in written:
            raise ValueError
        return wanted.type(int(written)) if wanted.kind in "iu" else wanted.type(float(written))
    except (ValueError, OverflowError, UnicodeDecodeError):
        raise ExecutionError(f"StringToNumberOp could not correctly convert string: "
                             f"{text!r}") from None


@rule("AsString", static=(0,), attrs="precision scientific shortest width fill", folds=True)
def _as_string(node: Node, x: Any) -> Any:
    fill, width = node["fill"], node["width"]
    begin = "%" + fill + (str(width) if width > -1 else "")
    precision = f".{node['precision']}" if node["precision"] > -1 else ""
    letter = "g" if node["shortest"] else "e" if node["scientific"] else "f"

    part = begin + precision + letter

    def written(value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, int):
            text = (begin + "d") % value
        elif isinstance(value, complex):
            text = f"({part % value.real},{part % value.imag})"
        else:
            text = part % value
        return text.encode()

    found = np.empty(x.shape, np.object_)
    found.ravel()[:] = [written(value) for value in x.ravel().tolist()]
    return found


@rule("StaticRegexReplace", attrs="pattern rewrite replace_global", folds=True)
def _static_replace(node: Node, x: Any) -> Any:
    return _replaced(node, x, node["pattern"].encode(), node["rewrite"].encode())


@rule("RegexReplace", static=(0, 1, 2), attrs="replace_global", folds=True)
def _replace(node: Node, x: Any, pattern: Any, rewrite: Any) -> Any:
    return _replaced(node, x, pattern.item(), rewrite.item())


def _replaced(node: Node, x: Any, pattern: bytes, rewrite: bytes) -> Any:
    r"""In rewrites `\1` is a group, as in RE2; Python's `\g<1>` is no part of that."""
    compiled = _compiled(pattern)
    count = 0 if node["replace_global"] else 1

    def expand(found: re.Match[str]) -> str:
        return re.sub(r"\\([0-9\\])", lambda each: "\\" if each[1] == "\\" else
                      (found[int(each[1])] or ""), _characters(rewrite))

    return _each(lambda text: _bytes(compiled.sub(expand, _characters(text), count=count)), x)


@rule("StaticRegexFullMatch", attrs="pattern", folds=True)
def _static_match(node: Node, x: Any) -> Any:
    return _matched(x, node["pattern"].encode())


@rule("RegexFullMatch", static=(0, 1), folds=True)
def _match(node: Node, x: Any, pattern: Any) -> Any:
    return _matched(x, pattern.item())


def _matched(x: Any, pattern: bytes) -> Any:
    compiled = _compiled(pattern)
    found = [compiled.fullmatch(_characters(text)) is not None for text in x.ravel().tolist()]
    return np.array(found, np.bool_).reshape(x.shape)


def _characters(text: bytes) -> str:
    """As RE2 reads bytes: as UTF-8."""
    return text.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _compiled(pattern: bytes) -> re.Pattern[str]:
    try:
        return re.compile(_characters(pattern), re.ASCII)
    except re.error as error:
        raise ExecutionError(f"Invalid pattern: {pattern!r}, error: {error}") from None


@rule("StringToHashBucketFast", static=(0,), attrs="num_buckets", folds=True)
def _hash_fast(node: Node, x: Any) -> Any:
    return np.array([fingerprint(text) % node["num_buckets"] for text in x.ravel().tolist()],
                    np.int64).reshape(x.shape)


@rule("DecodeBase64", folds=True)
def _decode_base64(node: Node, x: Any) -> Any:
    def decoded(text: bytes) -> bytes:
        try:
            return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ExecutionError(f"Invalid character found in base64 string {text!r}") from None
    return _each(decoded, x)


@rule("EncodeBase64", attrs="pad", folds=True)
def _encode_base64(node: Node, x: Any) -> Any:
    return _each(lambda text: base64.urlsafe_b64encode(text) if node["pad"]
                 else base64.urlsafe_b64encode(text).rstrip(b"="), x)


@rule("DecodeRaw", static=(0,), attrs="out_type little_endian", folds=True)
def _decode_raw(node: Node, x: Any) -> Any:
    wanted = dtypes.to_numpy(node["out_type"])
    stored = wanted.newbyteorder("<") if node["little_endian"] else wanted.newbyteorder(">")
    texts = x.ravel().tolist()
    if len({len(text) for text in texts}) > 1:
        raise ExecutionError("DecodeRaw requires input strings to all be the same size")
    if texts and len(texts[0]) % wanted.itemsize:
        raise ExecutionError(f"Input to DecodeRaw has length {len(texts[0])} that is not a "
                             f"multiple of {wanted.itemsize}, the size of {wanted}")
    rows = [np.frombuffer(text, stored) for text in texts]
    return np.array(rows, wanted).reshape(*x.shape, -1)
