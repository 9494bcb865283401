"""What a file is that is no format of this pipeline, from its first bytes and its name.

The signatures are those of the formats' own specifications; ONNX and pickle have none and are told
by how a message, or an opcode stream, of theirs begins.
"""

from __future__ import annotations

import os
import re

from pipeline.reading import open_file

# (first bytes, what begins with them, what reads it)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras writes (.h5): Keras or h5py reads it"),
    (b"\x93NUMPY", "a NumPy array (.npy): numpy.load reads it"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\xfd7zXZ\0", "an xz archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it first"),
    (b"\x89PNG", "a PNG picture: task=predict takes it as input"),
    (b"\xff\xd8\xff", "a JPEG picture: task=predict takes it as input"),
    (b"GIF8", "a GIF picture: task=predict takes it as input"),
    (b"\x00\x00\x08", "an IDX file, as MNIST is stored in: dataset.directory takes four of them"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program or library"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"PAR1", "a Parquet file"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")          # PROTO and a version
# ir_version (a SavedModel begins with its version 1 likewise), then a text or a graph
_ONNX = re.compile(rb"\x08[\x03-\x20]([\x12\x1a\x22\x32\x3a]|\Z)")
_TAR = slice(257, 262)                             # where the header has its magic
_IDX_IN_GZIP = b"\x00\x00\x08"
_SHOWN = 60                                        # characters of a text's first line


def foreign_format(path: str, head: bytes) -> str | None:
    """What the file at `path`, which begins with `head`, is; None where nothing says so."""
    if not head:
        return "an empty file"
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return what
    if head.startswith(b"\x1f\x8b"):
        return _gzip(path)
    if head.startswith(b"PK\x03\x04"):
        return _zip(path)
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model (.tflite): its interpreter, LiteRT, runs it"
    if head[_TAR] == b"ustar":
        return "a tar archive: unpack it first"
    if _PICKLE.match(head):
        return ("a Python pickle, such as old PyTorch files: loading one runs code in it, so it is "
                "not looked into")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < os.path.getsize(path):
        return "a safetensors file: the safetensors package reads it"
    if "tfevents" in os.path.basename(path):
        return "TensorBoard events: `tensorboard --logdir` shows them"
    if _ONNX.match(head) and (path.endswith(".onnx") or b"onnx" in head.lower()):
        return "an ONNX model: onnxruntime runs it"
    return _text(head)


def _gzip(path: str) -> str:
    import gzip
    import zlib

    try:
        with open_file(path) as raw, gzip.open(raw) as file:
            inside = file.read(len(_IDX_IN_GZIP))
    except (OSError, EOFError, zlib.error):
        return "a damaged gzip archive"
    if inside == _IDX_IN_GZIP:
        return "an IDX file in gzip, as MNIST comes: dataset.directory takes four of them"
    return "a gzip archive: unpack it first"


def _zip(path: str) -> str:
    import zipfile

    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return "a damaged zip archive"
    if {"config.json", "metadata.json"} <= set(names):
        return "a Keras model (.keras): Keras reads it"
    if any(name.endswith("/data.pkl") for name in names):
        return "a PyTorch file: torch.load reads it"
    if names and all(name.endswith(".npy") for name in names):
        shown = ", ".join(name.removesuffix(".npy") for name in names[:8])
        return f"NumPy arrays (.npz): numpy.load reads {shown}{', …' if len(names) > 8 else ''}"
    return f"a zip archive of {len(names)} files: unpack it first"


def _text(head: bytes) -> str | None:
    # A character that the first bytes end in the middle of is no reason to doubt.
    try:
        text = head[:-4].decode() if len(head) > 4 else head.decode()
    except UnicodeDecodeError:
        return None
    if re.search(r"[\0-\x08\x0e-\x1a\x1c-\x1f]", text):
        return None
    if text.lstrip().startswith("{") and '"modelTopology"' in text:
        return "a TensorFlow.js model: its weights lie in the files it names"
    line = head.decode("utf-8", "replace").strip().partition("\n")[0].strip()
    shown = line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
    kind = "a JSON file" if text.lstrip().startswith(("{", "[")) else "a text file"
    return f"{kind} that begins: {shown}" if shown else kind
