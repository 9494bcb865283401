"""Where and by what a run was made."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

_DISTRIBUTIONS = ("jaxfrost", "jax", "flax", "optax", "orbax-checkpoint", "numpy")


def describe_environment(seed: int, device: str, command: str) -> dict[str, str]:
    """Versions, device, git revision, seed and command line, in the order they are shown."""
    return {
        "command": command,
        "seed": str(seed),
        "device": device,
        "git revision": git_revision(Path(__file__)),
        "python": platform.python_version(),
        **{name: _version(name) for name in _DISTRIBUTIONS},
        "system": platform.platform(),
    }


def git_revision(file: Path) -> str:
    """The commit of the checkout that tracks `file`, with `+` when tracked files differ from it.

    `unknown` where there is no git, no checkout, or only one that the file happens to lie in.
    """
    try:
        _git("ls-files", "--error-unmatch", file.name, where=file.parent)
        revision = _git("rev-parse", "--short=12", "HEAD", where=file.parent)
        changed = _git("status", "--porcelain", "--untracked-files=no", where=file.parent)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return revision + ("+" if changed else "")


def _git(*arguments: str, where: Path) -> str:
    finished = subprocess.run(
        ["git", *arguments], cwd=where, capture_output=True, text=True, check=True, timeout=10,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},   # looking must not lock the user's index
    )
    return finished.stdout.strip()


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:   # run from a clone that was never installed
        return "not installed"
