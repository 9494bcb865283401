"""`python -m pipeline.checkpoint PATH`: what is in a checkpoint, or what else a file is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pipeline.checkpoint.description import describe
from pipeline.checkpoint.difference import compare_checkpoints
from pipeline.checkpoint.errors import CheckpointError
from pipeline.checkpoint.listing import format_description
from pipeline.checkpoint.recognise import recognise
from pipeline.output import outlive_readers


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what was asked for.

    Returns:
        0; 1 where something is damaged, or where two checkpoints differ; 2 where nothing could be
        read.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.checkpoint", description=__doc__)
    parser.add_argument("path", help="prefix, .index, directory, SavedModel, orbax step, .pb, …")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--verify", action="store_true", help="read everything, check checksums")
    parser.add_argument("--stats", action="store_true", help="minimum, maximum, mean, …")
    parser.add_argument("--diff", metavar="OTHER", help="what changed from PATH to OTHER")
    options = parser.parse_args(arguments)
    try:
        if options.diff is not None:
            return _print_difference(options.path, options.diff, as_json=options.json)
        found = describe(options.path, verify=options.verify, statistics=options.stats)
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return 2
    print(found.to_json() if options.json else format_description(found))
    return 0 if found.is_sound else 1


def _print_difference(first: str, second: str, *, as_json: bool) -> int:
    difference = compare_checkpoints(recognise(first).path, recognise(second).path)
    print(difference.to_json() if as_json else difference)
    return 1 if difference else 0


if __name__ == "__main__":
    outlive_readers()
    sys.exit(main())
