"""Which words of a sweep's recorded command line are only taken when they are said again.

Going on with a sweep repeats the command it was begun with, and that may be somebody else's: what
names code, starts something, is looked up in our environment or says where else to write must be
on the command line of whoever goes on.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from pathlib import Path

from pipeline.config import Config, ConfigError
from pipeline.config.consent import CodeName, run_around
from pipeline.config.location import all_dataclasses

# Hydra's own keys that make objects, run commands, or choose where code and files are found.
_ACTS = re.compile(r"_target_|\$\{|^\W*hydra[./](callbacks|searchpath|job|hydra_logging)"
                   r"|^\W*hydra\.launcher\.(setup|python|additional_parameters|srun_args)")
_WRITES = re.compile(r"^\W*gate\.(accept|variables|trend|baseline)\b|^\W*gate=\W*{"
                     r"|^\W*runtime\.(cache_directory|trusted_modules)\b|^\W*runtime=\W*{")


def require_said_again(directory: Path, words: Iterable[str], sources: Iterable[str]) -> None:
    """Refuses a recorded command line with words that act or write, by name.

    Args:
        directory: the sweep's.
        words: of its record, without those that this command line says too.
        sources: directories of configuration files that it names.

    Raises:
        ConfigError: lists the words to give again.
    """
    code = "|".join(sorted(_names_of_code()))
    names_code = re.compile(rf"(^|[.{{,\s'\"])({code})['\"]?\s*[=:]")
    found = [word for word in words
             if _ACTS.search(word) or _WRITES.search(word) or names_code.search(word)]
    found += [f"--config-dir={one}" for one in sources if run_around(Path(one)) is not None]
    if found:
        raise ConfigError(
            f"sweep.resume={directory}: it was begun with words that name code, act or write "
            "elsewhere, which no record may say; if they are yours, say them again on this command "
            "line:\n  " + "\n  ".join(found))


def _names_of_code() -> set[str]:
    """The fields of a configuration that name code."""
    return {name for kind in all_dataclasses(Config)
            for name, hint in typing.get_type_hints(kind).items()
            if hint is CodeName or CodeName in typing.get_args(hint)}
