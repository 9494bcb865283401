"""Hydra's complaints about a command line, with the key that was probably meant."""

from __future__ import annotations

import re
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf

from pipeline.config.errors import ConfigError, nearest


def explain(error: HydraException, conf: Path, arguments: list[str]) -> ConfigError:
    """The complaint in one piece; for a key that doesn't exist, with its nearest neighbour.

    Args:
        error: what Hydra raised while composing.
        conf: the directory of `config.yaml`.
        arguments: the command line, without the program's name.
    """
    if isinstance(error, MissingConfigException) and error.missing_cfg_file is not None:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return ConfigError(f"{group}={choice}: no such choice{nearest(choice, error.options or [])}")
    unknown = re.search(r"Could not (?:override|delete.*) '([^']+)'", str(error))
    if unknown is None:
        return ConfigError(str(error))
    key = unknown[1]
    siblings = _siblings(key, conf, arguments)
    leaf = key.rpartition(".")[2]
    given = next((part for part in arguments if part.lstrip("+~").startswith(key)), key)
    return ConfigError(f"{given}: unknown key{nearest(leaf, siblings)}")


def _siblings(key: str, conf: Path, arguments: list[str]) -> list[str]:
    """What stands beside `key` in the configuration that the group choices alone would give."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base="1.3"):
        groups = {entry.name for entry in conf.iterdir() if entry.is_dir()}
        choices = [part for part in arguments if part.partition("=")[0] in groups]
        composed = compose("config", overrides=choices)
    here = composed
    for part in key.split(".")[:-1]:
        deeper = OmegaConf.select(here, part)
        if not isinstance(deeper, DictConfig):
            break
        here = deeper
    return [str(name) for name in here]
