"""`python run.py --help` from `conf/` itself: Hydra would compose a whole run before it answers."""

from __future__ import annotations

from pathlib import Path

CONF = Path(__file__).resolve().parents[1] / "conf"


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
