"""Runs command lines of TensorFlow's Python tools, one after another, in one process.

    python run_commands.py MODULE:FUNCTION < commands.json

For each list of arguments this is `python -m MODULE ARGUMENTS`: flags and graph are new each time.
Importing TensorFlow takes longer than all of them. What a command prints begins with a line
`=== number of the command`.
"""

import importlib
import json
import os
import sys


def main(target: str) -> None:
    os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3")
    commands = json.load(sys.stdin)
    module, _, function = target.partition(":")
    program = getattr(importlib.import_module(module), function)
    from absl import flags
    from tensorflow.compat.v1 import reset_default_graph

    for number, arguments in enumerate(commands):
        print(f"=== {number}", flush=True)
        reset_default_graph()
        flags.FLAGS.unparse_flags()
        sys.argv = [module, *arguments]
        try:
            program()
        except SystemExit as left:
            if left.code:
                print(f"{module} {' '.join(arguments)}: exit code {left.code}", file=sys.stderr)
                raise


if __name__ == "__main__":
    main(*sys.argv[1:])
