"""The FlatBuffers file: schema of tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3.

    Model(version, operator_codes, subgraphs, buffers, signature_defs), identifier TFL3
    buffer 0 is empty: tensors without content name it; content begins at multiples of 16

The schema's Python is ai-edge-litert's, which ignores the schema's `force_align`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline import budget
from pipeline.tflite.errors import TfliteError
from pipeline.tflite.model import Model, Op, Value

SIGNATURE = "serving_default"
_ALIGNMENT = 16
_LIMIT = (1 << 31) - 1
# NumPy's names → members of the schema's TensorType
TYPES = {np.dtype(name): name.upper() for name in (
    "float32", "float16", "int8", "uint8", "int16", "int32", "uint32", "int64", "bool")}


def encode(model: Model, storage: str = "float32") -> bytes:
    """The content of the file; equal constants are stored once.

    Args:
        model: pruned.
        storage: `float16` keeps matrices and kernels of floats so, behind a DEQUANTIZE.

    Raises:
        TfliteError: it would take 2 GiB or more.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    writer = _Writer(schema)
    if storage == "float16":
        _halve(model)
    made = writer.model(model)
    size = sum(buffer.data.nbytes for buffer in made.buffers if buffer.data is not None)
    if size >= _LIMIT - (64 << 20):
        raise TfliteError(f"the model would take {size} bytes; one file holds less than 2 GiB")
    budget.current().require(2 * size, "the TFLite file")
    builder = flatbuffers.Builder(size + (1 << 16))
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _halve(model: Model) -> None:
    half: dict[int, Value] = {}
    ops: list[Op] = []
    for op in model.ops:
        for at, value in enumerate(op.inputs):
            if value.data is None or value.dtype != np.float32 or value.data.ndim < 2:
                continue
            if np.abs(value.data).max(initial=0) > np.finfo(np.float16).max:
                raise TfliteError(f"constant {value.name} has values beyond float16's largest; "
                                  "keep its weights as float32")
            if id(value) not in half:
                stored = Value(f"{value.name}/float16", value.shape, np.dtype(np.float16),
                               value.data.astype(np.float16))
                half[id(value)] = Value(value.name, value.shape, value.dtype)
                ops.append(Op("DEQUANTIZE", [stored], [half[id(value)]], ("Dequantize", {}), 3))
            op.inputs[at] = half[id(value)]
        ops.append(op)
    model.ops = ops


class _Writer:
    """The schema's objects of a model."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._buffers = [schema.BufferT()]
        self._of_content: dict[bytes, int] = {}
        self._tensors: list[Any] = []
        self._index: dict[int, int] = {}
        self._names: set[str] = set()
        self._codes: dict[tuple[str, int], int] = {}
        self._keep: list[Value] = []    # ids stay theirs
        self._buffer_class = _aligned(schema)

    def model(self, model: Model) -> Any:
        schema = self._schema
        main = schema.SubGraphT()
        for value in (*model.inputs.values(), *model.outputs.values()):
            self._tensor(value)    # first: their names are the signature's
        main.inputs = [self._tensor(value) for value in model.inputs.values()]
        main.outputs = [self._tensor(value) for value in model.outputs.values()]
        main.operators = [self._operator(op) for op in model.ops]
        main.tensors, main.name = self._tensors, "main"
        made = schema.ModelT()
        made.version, made.description = 3, "jaxfrost"
        made.subgraphs, made.buffers = [main], self._buffers
        made.operatorCodes = [self._code(*key) for key in self._codes]
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs = [self._named(*item) for item in model.inputs.items()]
        signature.outputs = [self._named(*item) for item in model.outputs.items()]
        made.signatureDefs = [signature]
        return made

    def _named(self, name: str, value: Value) -> Any:
        made = self._schema.TensorMapT()
        made.name, made.tensorIndex = name, self._tensor(value)
        return made

    def _code(self, builtin: str, version: int) -> Any:
        made = self._schema.OperatorCodeT()
        made.builtinCode = getattr(self._schema.BuiltinOperator, builtin)
        made.deprecatedBuiltinCode = min(made.builtinCode, 127)    # runtimes before 2.4 read this
        made.version = version
        return made

    def _operator(self, op: Op) -> Any:
        made = self._schema.OperatorT()
        made.opcodeIndex = self._codes.setdefault((op.builtin, op.version), len(self._codes))
        made.inputs = [self._tensor(value) for value in op.inputs]
        made.outputs = [self._tensor(value) for value in op.outputs]
        if op.options is not None:
            table, fields = op.options
            options = getattr(self._schema, f"{table}OptionsT")()
            for key, value in fields.items():
                assert hasattr(options, key), (table, key)
                setattr(options, key, value)
            made.builtinOptions = options
            made.builtinOptionsType = getattr(self._schema.BuiltinOptions, f"{table}Options")
        return made

    def _tensor(self, value: Value) -> int:
        if id(value) not in self._index:
            made = self._schema.TensorT()
            made.name = self._unique(value.name)
            made.shape = [1 if size is None else size for size in value.shape]
            if None in value.shape:
                made.shapeSignature = [-1 if size is None else size for size in value.shape]
            made.type = getattr(self._schema.TensorType, TYPES[value.dtype])
            made.buffer = 0 if value.data is None else self._buffer(value)
            self._index[id(value)] = len(self._tensors)
            self._tensors.append(made)
            self._keep.append(value)
        return self._index[id(value)]

    def _unique(self, name: str) -> str:
        made, count = name, 0
        while made in self._names:
            count += 1
            made = f"{name}_{count}"
        self._names.add(made)
        return made

    def _buffer(self, value: Value) -> int:
        assert value.data is not None
        little = value.data.astype(value.dtype.newbyteorder("<"), copy=False)
        content = little.tobytes()
        if content not in self._of_content:
            made = self._buffer_class()
            made.data = np.frombuffer(content, np.uint8)
            self._of_content[content] = len(self._buffers)
            self._buffers.append(made)
        return self._of_content[content]


def _aligned(schema: Any) -> Any:
    """The schema's Buffer, packed at a multiple of 16 as `force_align` says."""
    class Aligned(schema.BufferT):  # type: ignore[misc]
        def Pack(self, builder: Any) -> Any:
            content = self.data.tobytes()
            builder.StartVector(1, len(content), _ALIGNMENT)
            builder.head = builder.head - len(content)
            builder.Bytes[builder.head:builder.head + len(content)] = content
            data = builder.EndVector()
            schema.BufferStart(builder)
            schema.BufferAddData(builder, data)
            return schema.BufferEnd(builder)

    return Aligned
