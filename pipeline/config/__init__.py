"""The border between `conf/` and the code: below it there are only these dataclasses.

`schema` declares what a configuration holds, `model` what a model's scopes hold, `border` turns
Hydra's mapping into them or refuses it by name, and `runtime` sets JAX's flags before JAX is
imported.
"""

from pipeline.config.border import load as load
from pipeline.config.errors import ConfigError as ConfigError
from pipeline.config.model import ModelConfig as ModelConfig
from pipeline.config.schema import Config as Config
