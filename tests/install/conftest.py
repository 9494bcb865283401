"""The fixtures of `install_environments`, under their own names."""

from install_environments import built, core, installed, wheel

__all__ = ["built", "core", "installed", "wheel"]
