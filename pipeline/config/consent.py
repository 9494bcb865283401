"""Names of code: whose they may be, where they are looked up, and what they may turn out to be.

A configuration may name code, such as `model.module=package.Net`, and naming it is running it.
Three things stand between a name and a call:

- **Consent** (`require_consent`). A name is used when it stands on this command line, in `conf/`,
  or below a prefix that `runtime.trusted_modules` lists there. A name that only a run's record
  holds is somebody else's, and refused.
- **Place** (`load_named`). Nothing is imported from inside a run's directory, wherever `sys.path`
  leads: the module's file is found without running any code and looked at first.
- **Kind** (`load_named`). What the name leads to is a class, or a function, of the kind that is
  wanted, before it is called: `hydra.utils.instantiate` and `os.system` are no models.

A field that names code has the type `CodeName`; `load_named` takes nothing else, so that a key
without consent does not pass the type checker.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NewType

from pipeline.config.errors import ConfigError

CodeName = NewType("CodeName", str)
"""`package.module.Name`: a value that is imported and called."""

_RECORD = Path(".hydra", "config.yaml")
# A directory above these is no run, whatever an application of Hydra's once left in it.
_INSTALLED = (Path(sys.prefix).resolve(), Path(__file__).resolve().parents[2])
# What calls others by name, or the machine: never what a configuration wants.
_GADGETS = frozenset({*sys.stdlib_module_names, "hydra", "omegaconf", "pydantic", "yaml"})


def function_wanted() -> None:
    """Among `load_named`'s kinds: a function, written in Python and of no gadget's package."""


def require_consent(config: Any, own: Mapping[str, Any], trusted: Sequence[str]) -> None:
    """Refuses every name of code that is neither the command line's, nor `conf/`'s, nor trusted.

    Args:
        config: the checked configuration, with what a run's record contributed.
        own: what the command line and `conf/` alone gave, as plain nested data.
        trusted: prefixes of names, whole parts: `mynets` covers `mynets.small.Net`.

    Raises:
        ConfigError: says how to consent.
    """
    for path, name in named_code(config):
        if _at(own, path) == name or any(f"{name}.".startswith(f"{one}.") for one in trusted):
            continue
        key = ".".join(path)
        package = name.partition(".")[0]
        raise ConfigError(
            f"{key}={name}: stands in the record of a run, and its code would run here; if you "
            f"trust it, say {key}={name} on this command line, or add its package to conf/runtime: "
            f"runtime.trusted_modules=[{package}]")


def named_code(config: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every `CodeName` in a checked configuration with its place, in order."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            yield from named_code(value, (*above, str(key)))
    elif isinstance(config, list | tuple):
        for position, value in enumerate(config):
            yield from named_code(value, (*above, str(position)))
    elif dataclasses.is_dataclass(config) and not isinstance(config, type):
        hints = typing.get_type_hints(type(config), include_extras=True)
        for field in dataclasses.fields(config):
            value, place = getattr(config, field.name), (*above, field.name)
            if _names_code(hints[field.name]):
                yield from _strings(value, place)
            else:
                yield from named_code(value, place)


def load_named(name: CodeName, key: str, kinds: Sequence[Any]) -> Any:
    """The class or function of that name, which has the consent of `require_consent`.

    Args:
        name: `package.module.Name`.
        key: of the configuration, for errors: `model.module`.
        kinds: base classes, of which it must be a subclass of one; `function_wanted` among them
            allows functions.

    Raises:
        ConfigError: there is no such module or name, it lies inside a run's directory, or it is
            nothing of these kinds.
    """
    module, _, last = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        raise ConfigError(f"{key}={name}: expected package.module.Name")
    _require_place(module, f"{key}={name}")
    with _without_runs_on_the_path():
        try:
            found = getattr(importlib.import_module(module), last)
        except ModuleNotFoundError as error:
            raise ConfigError(f"{key}={name}: {error}") from error
        except AttributeError:
            raise ConfigError(f"{key}={name}: module {module} has no {last}") from None
    if not _is_of(found, kinds):
        wanted = ", or ".join(map(_kind_in_words, kinds))
        raise ConfigError(f"{key}={name}: is {_in_words(found)}; expected {wanted}")
    return found


def run_around(path: Path) -> Path | None:
    """The run's or sweep's directory in which a file really lies; None where it lies in none."""
    real = path.resolve()
    return next((one for one in (real, *real.parents) if (one / _RECORD).is_file()
                 and not any(mine.is_relative_to(one) for mine in _INSTALLED)), None)


def _require_place(module: str, named: str) -> None:
    """Follows the packages down without importing one, and refuses those that lie in a run."""
    where: Sequence[str] | None = None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        full = ".".join(parts[:count])
        spec = _found(full, where)
        if spec is None:
            return              # not there: the import says so
        where = list(spec.submodule_search_locations or ())
        for place in [*where, *([spec.origin] if spec.has_location and spec.origin else [])]:
            run = run_around(Path(place))
            if run is not None:
                raise ConfigError(f"{named}: lies inside a run's directory ({run}), from which no "
                                  "code is imported; copy it out, once you have read it")
        if not where:
            return


def _found(module: str, where: Sequence[str] | None) -> ModuleSpec | None:
    """As the import system would, whose own `find_spec` runs the packages above."""
    if module in sys.modules:
        return sys.modules[module].__spec__
    found = (finder.find_spec(module, where) for finder in sys.meta_path)
    return next((spec for spec in found if spec is not None), None)


@contextmanager
def _without_runs_on_the_path() -> Iterator[None]:
    """While a module is imported, what it imports comes from no run's directory either."""
    before = list(sys.path)
    sys.path[:] = [entry for entry in before if run_around(Path(entry or ".")) is None]
    try:
        yield
    finally:
        sys.path[:] = before


def _is_of(found: Any, kinds: Sequence[Any]) -> bool:
    if isinstance(found, type):
        return issubclass(found, tuple(kind for kind in kinds if isinstance(kind, type)))
    return (function_wanted in kinds and inspect.isfunction(found)
            and found.__module__.partition(".")[0] not in _GADGETS)


def _kind_in_words(kind: Any) -> str:
    if kind is function_wanted:
        return "a function"
    return f"a subclass of {kind.__module__.partition('.')[0]}'s {kind.__qualname__}"


def _in_words(found: Any) -> str:
    if isinstance(found, type):
        return f"the class {found.__module__}.{found.__qualname__}"
    return f"a {type(found).__name__}"


def _names_code(annotation: Any) -> bool:
    return annotation is CodeName or any(map(_names_code, typing.get_args(annotation)))


def _strings(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _strings(one, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for position, one in enumerate(value):
            yield from _strings(one, (*place, str(position)))


def _at(content: Any, path: Sequence[str]) -> Any:
    for part in path:
        if isinstance(content, Mapping) and part in content:
            content = content[part]
        elif isinstance(content, list | tuple) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return content
