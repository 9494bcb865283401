"""`load`: what a configuration names is what one gets."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from idx_files import arrays, publish, real_mnist

from pipeline import data
from pipeline.config.dataset import DatasetConfig, PublishedConfig
from pipeline.config.location import dataclasses_in
from pipeline.data import catalogue, sources

ROOT = Path(__file__).resolve().parents[2]
GROUP = sorted((ROOT / "conf" / "dataset").glob("*.yaml"))
KINDS = {kind.__name__.removesuffix("Config").lower(): kind
         for kind in dataclasses_in(DatasetConfig)}


def test_the_embedded_digits(tmp_path: Path) -> None:
    loaded = data.load(PublishedConfig(name="digits", validation_size=137), tmp_path)
    assert [part.num_examples for part in loaded] == [1300, 137, 360]
    assert (loaded.name, loaded.train.pixels.dtype) == ("digits", np.uint8)
    assert not list(tmp_path.iterdir())


def test_idx_files(files: Path, tmp_path: Path) -> None:
    config = PublishedConfig(name="fashion_mnist", directory=str(files), validation_size=10)
    loaded = data.load(config, tmp_path / "cache")
    assert (loaded.train.digits == arrays().train_labels[10:]).all()
    assert loaded.name == "fashion_mnist"
    assert not (tmp_path / "cache").exists()


def test_all_sources_agree_to_the_bit(
        files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.SOURCES, "mnist", publish(files, "http://192.0.2.1/"))
    data.prepare_tfds("mnist", tmp_path / "tensorflow_datasets", files)
    through_tfds = PublishedConfig(name="mnist", validation_size=9)
    by_idx = PublishedConfig(name="mnist", directory=str(files), validation_size=9)
    prints = {*(data.load(config, tmp_path).fingerprint
                for config in (by_idx, through_tfds, through_tfds)),
              data.read_data_sets(files, validation_size=9).fingerprint}
    assert len(prints) == 1


def test_the_seed_orders_the_batches(files: Path, tmp_path: Path) -> None:
    config = PublishedConfig(name="mnist", directory=str(files), validation_size=10)
    first, again, other = (data.load(config, tmp_path, seed).train.next_batch(9)[0]
                           for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()


def test_the_cache_directory_may_begin_with_home(
        files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    source = publish(files, "http://192.0.2.1/")
    monkeypatch.setitem(catalogue.SOURCES, "mnist", source)
    data.prepare_tfds("mnist", Path("~/kept/tensorflow_datasets"), files)
    loaded = data.load(PublishedConfig(name="mnist", validation_size=1), Path("~/kept"))
    assert loaded.train.num_examples == 59


@pytest.mark.parametrize(("changes", "found"), [
    ({"name": "digits"},
     "dataset.validation_size=5000: digits has 1,437 training examples and some must be left to "
     "train on; digits takes 137"),
    ({"name": "mnist", "directory": "FILES"},
     "dataset.validation_size=5000: mnist has 60 training"),
    ({"name": "digits", "directory": "FILES"},
     "digits is built in and reads none; for IDX files say dataset=mnist dataset.directory=DIR"),
    ({"name": "mnist", "directory": "FILES/absent"}, "absent: does not exist"),
])
def test_what_cannot_be_had_is_said(
        changes: dict[str, Any], found: str, files: Path, tmp_path: Path) -> None:
    changes = {key: value.replace("FILES", str(files)) for key, value in changes.items()}
    with pytest.raises(data.DataError, match=found):
        data.load(PublishedConfig(**{"validation_size": 5000, **changes}), tmp_path)


@pytest.mark.parametrize("path", GROUP, ids=[path.stem for path in GROUP])
def test_the_configuration_group(path: Path) -> None:
    """Each file begins with the command that uses it and fills the schema, named as itself."""
    text = path.read_text()
    assert text.startswith(f"# python run.py dataset={path.stem}")
    kind = KINDS.get(path.stem, PublishedConfig)
    config = kind(**yaml.safe_load(text))
    assert config.name == path.stem
    assert set(yaml.safe_load(text)) == {field.name for field in fields(kind)}
    assert config.validation_size == {"digits": 137}.get(
        path.stem, 5000 if kind is PublishedConfig else 0.1)


def test_the_group_is_complete() -> None:
    assert {path.stem for path in GROUP} == {"digits", *catalogue.SOURCES, *sources.NAMES}


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    program = ("import sys; from types import SimpleNamespace; from pipeline import data; "
               "c = SimpleNamespace(name='digits', directory=None, validation_size=137); "
               "data.load(c, '.'); print(sorted(m for m in sys.modules if m in ("
               "'jax', 'tensorflow', 'tensorflow_datasets', 'PIL', 'pyarrow', 'rich', 'hydra')))")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"


def test_a_notebook_needs_no_configuration_object(tmp_path: Path) -> None:
    config: Any = SimpleNamespace(name="mnist", directory=str(real_mnist()), validation_size=5000,
                                  cache=True)
    assert [part.num_examples for part in data.load(config, tmp_path)] == [55000, 5000, 10000]
