"""A look into a TFLite file, and its outputs as LiteRT computes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import reading
from pipeline.tflite.errors import TfliteFileError


class Description(NamedTuple):
    """What a model takes, gives and consists of."""

    inputs: dict[str, tuple[tuple[int, ...], str]]    # name → shape, -1 where any size; dtype
    outputs: dict[str, tuple[tuple[int, ...], str]]
    ops: dict[str, int]                               # builtin → how many
    weights: int                                      # bytes of constants
    size: int                                         # of the file


def describe(path: Path) -> Description:
    """What is in a file, which is not run.

    Raises:
        TfliteFileError: it is damaged or not a TFLite model.
        OSError: it can't be read.
    """
    from ai_edge_litert import schema_py_generated as schema

    content = reading.read_bytes(path)
    if content[4:8] != b"TFL3":
        raise TfliteFileError(f"{path} is not a TFLite model: bytes 4 to 8 are {content[4:8]!r}; "
                              "expected b'TFL3'")
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
        names = {value: name for name, value in vars(schema.BuiltinOperator).items()
                 if isinstance(value, int)}
        types = {value: name for name, value in vars(schema.TensorType).items()
                 if isinstance(value, int)}
        main = model.subgraphs[0]
        ops: dict[str, int] = {}
        for subgraph in model.subgraphs:
            for op in subgraph.operators or ():
                code = model.operatorCodes[op.opcodeIndex]
                name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
                ops[name] = ops.get(name, 0) + 1
        inputs, outputs = ({_text(tensor.name): (_shape(tensor), types[tensor.type].lower())
                            for tensor in (main.tensors[at] for at in ends)}
                           for ends in (main.inputs, main.outputs))
        weights = sum(len(each.data) for each in model.buffers if each.data is not None)
    except Exception as error:    # the generated code checks nothing and raises what comes
        raise TfliteFileError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    return Description(inputs, outputs, ops, weights, len(content))


def run(
    path: Path, feeds: Mapping[str, NDArray[Any]], *, xnnpack: bool = True, threads: int = 1
) -> dict[str, NDArray[Any]]:
    """The outputs of the model by name, for inputs of any batch size.

    Args:
        path: of the file.
        feeds: arrays by the names of the signature.
        xnnpack: with the optimized kernels, as apps run it; without, by the built-in ones.
        threads: of the interpreter.

    Raises:
        TfliteFileError: LiteRT can't run it with these.
        OSError: it can't be read.
    """
    from ai_edge_litert import interpreter as litert

    content = reading.read_bytes(path)
    kernels = litert.OpResolverType
    try:
        interpreter = litert.Interpreter(
            model_content=content, num_threads=threads, experimental_op_resolver_type=(
                kernels.AUTO if xnnpack else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES))
        runner = interpreter.get_signature_runner()
        return {name: np.array(value) for name, value in runner(**feeds).items()}
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        raise TfliteFileError(f"{path}: LiteRT: {error}") from error


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _shape(tensor: Any) -> tuple[int, ...]:
    found = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    return tuple(map(int, found)) if found is not None else ()
