"""JAX's flags, through the environment before JAX is imported and through its config after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import pytest
from configured import ROOT

from pipeline.config import runtime
from pipeline.config.schema import RuntimeConfig

FLAGS = [
    "jax_enable_x64", "jax_debug_nans", "jax_platforms", "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
]


@pytest.fixture
def restored_flags(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MPLCONFIGDIR", "unused")
    before = {name: getattr(jax.config, name) for name in FLAGS}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def flags_before_jax_is_imported(config: RuntimeConfig) -> dict[str, Any]:
    program = (
        "import json, sys\n"
        "from pipeline.config import runtime\n"
        "from pipeline.config.schema import RuntimeConfig\n"
        "runtime.apply(RuntimeConfig(**json.loads(sys.argv[1])))\n"
        "assert 'jax' not in sys.modules\n"
        "import jax\n"
        f"print(json.dumps({{name: getattr(jax.config, name) for name in {FLAGS}}}))\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("JAX")}
    finished = subprocess.run(
        [sys.executable, "-c", program, json.dumps(asdict(config))],
        cwd=ROOT, env=clean, capture_output=True, text=True, check=True,
    )
    return json.loads(finished.stdout)


def test_both_ways_set_the_same_flags(tmp_path: Path, restored_flags: None) -> None:
    config = RuntimeConfig(
        platform="cpu", cache_directory=str(tmp_path), x64=True, debug_nans=True
    )
    late = flags_before_jax_is_imported(config)
    runtime.apply(config)
    assert {name: getattr(jax.config, name) for name in FLAGS} == late
    assert late == {
        "jax_enable_x64": True,
        "jax_debug_nans": True,
        "jax_platforms": "cpu",
        "jax_compilation_cache_dir": str(tmp_path / "compiled"),
        "jax_persistent_cache_min_compile_time_secs": 0,
    }


def test_without_a_compilation_cache_none_is_named(tmp_path: Path) -> None:
    config = RuntimeConfig(cache_directory=str(tmp_path), compilation_cache=False)
    flags = flags_before_jax_is_imported(config)
    assert not flags["jax_compilation_cache_dir"]
    assert not flags["jax_enable_x64"]
    assert not list(tmp_path.iterdir())


def test_the_cache_directory_is_absolute_and_expands_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere/home")
    found = runtime.cache_directory(RuntimeConfig(cache_directory="~/kept"))
    assert found == Path("/nowhere/home/kept")
    assert runtime.cache_directory(RuntimeConfig(cache_directory="here")).is_absolute()


@pytest.mark.parametrize("platform", ["cuda", "gpu"])
def test_a_gpu_that_is_not_there_is_told_in_one_line(platform: str) -> None:
    program = (
        "from pipeline.config import runtime\n"
        "from pipeline.config.schema import RuntimeConfig\n"
        "import jax\n"
        "try:\n"
        "    jax.devices('gpu')\n"
        "except RuntimeError:\n"
        "    try:\n"
        f"        runtime.apply(RuntimeConfig(platform={platform!r}))\n"
        "    except ValueError as error:\n"
        "        print(error)\n"
        "else:\n"
        "    print('runtime.platform=there is one')\n"
    )
    environment = {**os.environ, "MPLCONFIGDIR": "unused", "PYTHONPATH": str(ROOT)}
    environment.pop("JAX_PLATFORMS", None)
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              check=True, env=environment)
    [line] = finished.stdout.splitlines()
    assert line.startswith(f"runtime.platform={platform}: JAX finds no such device here, only cpu")\
        or line == "runtime.platform=there is one"
