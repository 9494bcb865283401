"""What pyproject.toml cannot say: the tree `conf/` at the root travels as `pipeline/conf`."""

from setuptools import find_namespace_packages, setup

ROOMS = find_namespace_packages(include=["pipeline*", "hydra_plugins*", "jaxfrost*"])
GROUPS = [f"pipeline.conf.{group}" for group in find_namespace_packages("conf")]

setup(packages=[*ROOMS, "pipeline.conf", *GROUPS], package_dir={"pipeline.conf": "conf"})
