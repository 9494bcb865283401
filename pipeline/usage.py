"""What the program answers or arranges before Hydra is imported, which alone takes longer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from pipeline import invocation
from pipeline.config import tree

# Hydra's options: `hydra/_internal/utils.py`, `get_args_parser`.
_FLAGS = ("-m", "--multirun", "-r", "--run", "--resolve")
_WITH_VALUE = ("-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name",
               "-cd", "--config-dir")


def usage() -> str:
    """What `conf/hydra/help/pipeline.yaml` says, with every group's choices, as Hydra prints it."""
    import yaml  # late: `main` imports this module whatever it is asked

    path = tree.CONF / "hydra" / "help" / "pipeline.yaml"
    page = yaml.safe_load(path.read_text(encoding="utf-8"))
    choices = [f"{group}: {', '.join(names)}\n" for group, names in tree.groups().items()]
    text = str(page["template"])
    for place, filling in (("${hydra.help.header}", page["header"]),
                           ("${hydra.help.footer}", page["footer"]),
                           ("${oc.env:JAXFROST_PROGRAM}", invocation.program()),
                           ("$APP_CONFIG_GROUPS", "".join(choices))):
        text = text.replace(place, filling)
    return text


def version() -> str:
    """`jaxfrost 0.2.0`, from metadata; in a checkout from its file, as metadata may be behind."""
    pyproject = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if pyproject.is_file():
        import tomllib

        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        return f"{project['name']} {project['version']}"
    from importlib import metadata

    return f"jaxfrost {metadata.version('jaxfrost')}"


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
