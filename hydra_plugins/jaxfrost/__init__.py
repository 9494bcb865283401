"""Hydra looks for plugins in the package `hydra_plugins` and nowhere else."""

from pipeline.sweep import optuna_sweeper


class OptunaSweeper(optuna_sweeper.OptunaSweeper):
    """`hydra/sweeper=optuna`."""
