"""CheckpointState in protobuf's text form: four fields, strings and numbers.

    text  = (name ":" value [","|";"])…      value = string… | number | "[" value, … "]"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipeline.checkpoint.errors import InvalidArgumentError

Value = str | float

_TOKEN = re.compile(
    rb"(?>\s|\#[^\n]*+)*+(?:"
    rb"(?P<name>[A-Za-z_]\w*+)"
    rb"|(?P<string>\"(?>[^\"\\\n]|\\.)*+\"|'(?>[^'\\\n]|\\.)*+')"
    rb"|(?P<number>-?(?>[0-9.][\w.+-]*+|[a-z]++))"
    rb"|(?P<sign>[:,;\[\]])"
    rb"|(?P<end>\Z))"
)
_ESCAPE = re.compile(
    rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL
)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f",
            b"v": b"\v", b"\\": b"\\", b"'": b"'", b'"': b'"', b"?": b"?"}
_NO_DIGITS = (b"inf", b"infinity", b"nan")
_NUMBERS = ("all_model_checkpoint_timestamps", "last_preserved_timestamp")
_STRINGS = ("model_checkpoint_path", "all_model_checkpoint_paths")


class Token(NamedTuple):
    """A word of the text: `kind` is the group of `_TOKEN` that matched."""

    kind: str
    text: bytes


def encode_fields(fields: Mapping[str, tuple[Value, ...]]) -> bytes:
    """One line per value, as TensorFlow prints them: UTF-8 stays, quotes and controls do not."""
    lines = [f"{name}: {_encode_value(value)}\n" for name in fields for value in fields[name]]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _encode_value(value: Value) -> str:
    if not isinstance(value, str):
        return repr(float(value))
    escaped = value.translate({ord("\\"): "\\\\", ord('"'): '\\"', ord("'"): "\\'", 10: "\\n",
                               9: "\\t", 13: "\\r"})
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\{ord(c[0]):03o}", escaped) + '"'


def decode_fields(text: bytes) -> dict[str, list[Value]]:
    """The values of each field, in order.

    Raises:
        InvalidArgumentError: the text is no CheckpointState.
    """
    fields: dict[str, list[Value]] = {name: [] for name in (*_STRINGS, *_NUMBERS)}
    tokens = list(_tokens(text))
    tokens.reverse()
    while tokens[-1].kind != "end":
        name = _take(tokens, "name").decode()
        if name not in fields:
            raise InvalidArgumentError(f"no field {name!r}; expected one of {sorted(fields)}")
        _expect(tokens, b":")
        fields[name] += _values(tokens, "string" if name in _STRINGS else "number")
        if tokens[-1].text in (b",", b";"):
            tokens.pop()
    return fields


def _tokens(text: bytes) -> Iterator[Token]:
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidArgumentError(f"unreadable from {text[position : position + 20]!r} on")
        assert match.lastgroup is not None
        yield Token(match.lastgroup, match[match.lastgroup])
        if match.lastgroup == "end":
            return
        position = match.end()


def _take(tokens: list[Token], kind: str) -> bytes:
    token = tokens.pop()
    if token.kind != kind:
        raise InvalidArgumentError(f"found {token.text!r}; expected a {kind}")
    return token.text


def _expect(tokens: list[Token], sign: bytes) -> None:
    token = tokens.pop()
    if token.text != sign:
        raise InvalidArgumentError(f"found {token.text!r}; expected {sign!r}")


def _values(tokens: list[Token], kind: str) -> list[Value]:
    if tokens[-1].text != b"[":
        return [_value(tokens, kind)]
    tokens.pop()
    values = [_value(tokens, kind)]
    while tokens[-1].text == b",":
        tokens.pop()
        values.append(_value(tokens, kind))
    _expect(tokens, b"]")
    return values


def _value(tokens: list[Token], kind: str) -> Value:
    if kind == "number" and tokens[-1].text.lower() in _NO_DIGITS:
        return float(tokens.pop().text)
    text = _take(tokens, kind)
    if kind == "number":
        try:
            return float(text.rstrip(b"fF") if text[:1].isdigit() else text)
        except ValueError:
            raise InvalidArgumentError(f"{text!r} is no number") from None
    content = text[1:-1]
    while tokens[-1].kind == "string":  # adjacent strings are one
        content += tokens.pop().text[1:-1]
    return _ESCAPE.sub(_unescape, content).decode("utf-8", "surrogateescape")


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code in _LETTERS:
        return _LETTERS[code]
    try:
        if code[:1] in b"uU" and len(code) > 1:
            return chr(int(code[1:], 16)).encode()
        return bytes((int(code[1:], 16) if code[:1] == b"x" else int(code, 8),))
    except (ValueError, UnicodeEncodeError):
        raise InvalidArgumentError(f"escape {match[0]!r} is unknown") from None
