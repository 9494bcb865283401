"""TensorFlow's own command lines read what we write.

    python -m tensorflow.python.tools.freeze_graph --input_meta_graph=model.ckpt-5.meta \
        --input_checkpoint=model.ckpt-5 --input_binary=true \
        --output_node_names=logits,probabilities --output_graph=frozen.pb
    python -m tensorflow.python.tools.freeze_graph --input_saved_model_dir=saved_model …
    saved_model_cli show --dir saved_model --all
    saved_model_cli run --dir saved_model --tag_set serve --signature_def serving_default \
        --inputs input=images.npy --outdir DIR
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from exported import BATCHES
from exports import Exports, Key, exports_in, run_tool
from judge import run_all

from pipeline.graph import load_graph

OUTPUTS = ("logits", "probabilities")
FROZEN = exports_in("checkpoint", "resource", "saved_model")
SAVED = exports_in("saved_model")


def freeze_command(path: Path, made: Path) -> list[str]:
    prefix = str(path).removesuffix(".meta")
    source = ([f"--input_saved_model_dir={path}"] if path.is_dir() else
              [f"--input_meta_graph={path}", f"--input_checkpoint={prefix}", "--input_binary=true"])
    return [*source, f"--output_node_names={','.join(OUTPUTS)}", f"--output_graph={made}"]


@pytest.fixture(scope="module")
def frozen(exports: Exports, tmp_path_factory: pytest.TempPathFactory) -> dict[Key, Path]:
    directory = tmp_path_factory.mktemp("frozen")
    made = {key: directory / f"{'-'.join(key)}.pb" for key in FROZEN}
    run_tool("tensorflow.python.tools.freeze_graph:run_main",
             [freeze_command(exports.path(*key), path) for key, path in made.items()])
    return made


@pytest.mark.parametrize("key", FROZEN, ids="-".join)
def test_freeze_graph(
    tf: ModuleType, exports: Exports, frozen: dict[Key, Path], key: Key
) -> None:
    graph = load_graph(frozen[key])
    assert not {node.op for node in graph.node} & {"VariableV2", "VarHandleOp", "Assign", "SaveV2"}
    feeds = [{"input": exports.examples(key[0]).images[:count]} for count in BATCHES]
    arrays = run_all(tf, graph, OUTPUTS, feeds)
    exports.check(key[0], {
        f"{output}_{count}": array for count, found in zip(BATCHES, arrays, strict=True)
        for output, array in zip(OUTPUTS, found, strict=True)}, *OUTPUTS)


@pytest.fixture(scope="module")
def told(exports: Exports, tmp_path_factory: pytest.TempPathFactory) -> dict[Key, tuple[str, Path]]:
    """What `show` printed, and where `run` left its outputs."""
    made = {key: tmp_path_factory.mktemp("results") / key[0] for key in SAVED}
    show = [["show", "--dir", exports.path(*key), "--all"] for key in SAVED]
    run = [["run", "--dir", exports.path(*key), "--tag_set", "serve", "--signature_def",
            "serving_default", "--inputs", f"input={exports.directory / key[0]}.npy",
            "--outdir", path] for key, path in made.items()]
    printed = run_tool("tensorflow.python.tools.saved_model_cli:main", [*show, *run])
    return {key: (text, made[key]) for key, text in zip(SAVED, printed[:len(SAVED)], strict=True)}


@pytest.mark.parametrize("key", SAVED, ids="-".join)
def test_saved_model_cli_show(
    exports: Exports, told: dict[Key, tuple[str, Path]], key: Key
) -> None:
    text = " ".join(told[key][0].split())
    assert "MetaGraphDef with tag-set: 'serve' contains the following SignatureDefs" in text
    assert "signature_def['serving_default']" in text
    shape = ", ".join(map(str, (-1, *exports.examples(key[0]).images.shape[1:])))
    assert f"inputs['input'] tensor_info: dtype: DT_FLOAT shape: ({shape}) name: input:0" in text
    for output in OUTPUTS:
        assert (f"outputs['{output}'] tensor_info: dtype: DT_FLOAT shape: (-1, 10) "
                f"name: {output}:0") in text
    assert "Method name is: tensorflow/serving/predict" in text


@pytest.mark.parametrize("key", SAVED, ids="-".join)
def test_saved_model_cli_run(
    exports: Exports, told: dict[Key, tuple[str, Path]], key: Key
) -> None:
    results = told[key][1]
    assert {path.stem for path in results.iterdir()} == set(OUTPUTS)
    for output in OUTPUTS:
        wanted = getattr(exports.examples(key[0]), output)
        np.testing.assert_allclose(np.load(results / f"{output}.npy"), wanted, rtol=1e-5,
                                   atol=1e-5 * np.abs(wanted).max())
