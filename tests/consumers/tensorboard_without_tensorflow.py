"""The TensorBoard server as `tensorboard --logdir DIR` starts it where TensorFlow is not installed.

    python tensorboard_without_tensorflow.py --logdir DIR …
"""

import sys
import types
import warnings


def main() -> None:
    # TensorBoard's own switch: with this module there it never imports TensorFlow.
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    warnings.simplefilter("ignore")
    from tensorboard.main import run_main

    run_main()


if __name__ == "__main__":
    main()
