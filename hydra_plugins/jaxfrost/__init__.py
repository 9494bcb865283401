"""Hydra looks for plugins in the package `hydra_plugins` and nowhere else."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from pipeline.config import tree
from pipeline.sweep import optuna_sweeper


class OptunaSweeper(optuna_sweeper.OptunaSweeper):
    """`hydra/sweeper=optuna`."""


class OwnConfiguration(SearchPathPlugin):
    """Files in `conf/` of the working directory are choices like those that jaxfrost brings."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Puts the directory behind ours, so that it adds to it."""
        for directory in tree.own():
            search_path.append("working directory", f"file://{directory}")
