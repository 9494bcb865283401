"""What `run.py` answers or arranges before Hydra is imported, which alone takes longer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
CONF = _ROOT / "conf"
# Hydra's options: `hydra/_internal/utils.py`, `get_args_parser`.
_FLAGS = ("-m", "--multirun", "-r", "--run", "--resolve")
_WITH_VALUE = ("-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name",
               "-cd", "--config-dir")


def usage() -> str:
    """What `conf/hydra/help/pipeline.yaml` says, with every group's choices, as Hydra prints it."""
    import yaml  # late: run.py imports this module whatever it is asked

    page = yaml.safe_load((CONF / "hydra" / "help" / "pipeline.yaml").read_text(encoding="utf-8"))
    groups = (path for path in sorted(CONF.iterdir()) if path.is_dir() and path.name != "hydra")
    choices = [f"{group.name}: {', '.join(sorted(file.stem for file in group.glob('*.yaml')))}\n"
               for group in groups]
    text = str(page["template"])
    for place, filling in (("${hydra.help.header}", page["header"]),
                           ("${hydra.help.footer}", page["footer"]),
                           ("$APP_CONFIG_GROUPS", "".join(choices))):
        text = text.replace(place, filling)
    return text


def version() -> str:
    """`jaxfrost 0.1.0`, of this checkout, which an installed one's metadata may be behind."""
    import tomllib

    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['name']} {project['version']}"


def options_first(arguments: Sequence[str]) -> list[str]:
    """The same command line with Hydra's options in front: `a=1 -m b=2,3` as `-m a=1 b=2,3`.

    argparse takes the overrides, which are positional, on one side of an option only.
    """
    options: list[str] = []
    overrides: list[str] = []
    left = iter(arguments)
    for word in left:
        if word in _WITH_VALUE:
            value = list(islice(left, 1))
            (options if value else overrides).extend([word, *value])
        elif word in _FLAGS:
            options.append(word)
        else:
            overrides.append(word)
    return [*options, *overrides]
