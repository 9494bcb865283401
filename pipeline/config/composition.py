"""Hydra's complaints about a command line, with the key that was probably meant."""

from __future__ import annotations

import re
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf

from pipeline.config import tree
from pipeline.config.errors import ConfigError, nearest

# Launchers of Hydra's plugins, and the extra of this distribution that brings each.
_LAUNCHERS = {"joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit",
              "ray": "ray"}


def explain(error: HydraException, arguments: list[str]) -> ConfigError:
    """The complaint in one piece; for a key that doesn't exist, with its nearest neighbour.

    Args:
        error: what Hydra raised while composing.
        arguments: the command line, without the program's name.
    """
    if isinstance(error, MissingConfigException) and error.missing_cfg_file is not None:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        if group == "hydra/launcher" and choice in _LAUNCHERS:
            return ConfigError(f"{group}={choice}: its package is not installed; pip install "
                               f"'jaxfrost[{_LAUNCHERS[choice]}]'")
        close = nearest(choice, error.options or [])
        return ConfigError(f"{group}={choice}: no such choice{close}")
    if isinstance(error, OverrideParseException):
        told = str(error).partition("\nSee https://hydra.cc")[0]
        return ConfigError(f"{told}\nexpected KEY=VALUE, and quotes that the shell leaves alone "
                           "around a value with signs in it: \"path='~a (1).png'\"")
    repeated = re.search(r"Multiple values for (\S+)\. To override", str(error))
    if repeated is not None:
        group = repeated[1]
        return ConfigError(f"{group}: is chosen already; to choose another, write {group}=CHOICE")
    unknown = re.search(r"Could not (?:override|delete.*) '([^']+)'", str(error))
    if unknown is None:
        return ConfigError(str(error))
    key = unknown[1].partition("=")[0]
    given = next((part for part in arguments if part.lstrip("+~").startswith(key)), key)
    return ConfigError(f"{given}: {_where_it_ends(key, _chosen_groups(key, arguments))}")


def _chosen_groups(key: str, arguments: list[str]) -> DictConfig:
    """The configuration that the group choices alone would give; Hydra's own part on demand."""
    GlobalHydra.instance().clear()
    added = tree.config_directory(arguments)[1:]
    with initialize_config_dir(str(tree.CONF), version_base="1.3"):
        choices = [part for part in arguments if part.partition("=")[0] in tree.groups()]
        choices += [f"hydra.searchpath=['file://{directory}']" for directory in added]
        return compose("config", overrides=choices, return_hydra_config=key.startswith("hydra."))


def _where_it_ends(key: str, composed: DictConfig) -> str:
    """At which part the path of `key` leaves the configuration, and what stands there instead."""
    here: Any = composed
    parts = key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(here, DictConfig):
            parent = ".".join(parts[:depth])
            if here is None:
                return f"{parent} is null; give it whole: {parent}='{{{part}: …}}'"
            return f"{parent} is {here}, which has no parts"
        if part not in here:
            there = nearest(part, [str(name) for name in here])
            return f"unknown key{there or f'; to add it, write +{key}=…'}"
        here = OmegaConf.select(here, part)
    return "cannot be changed this way"
