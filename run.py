"""Train in JAX, persist in TensorFlow's formats: `python run.py --help`."""

import sys

from pipeline.main import main

if __name__ == "__main__":
    sys.exit(main())
