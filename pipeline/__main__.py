"""`python -m pipeline`: what the command `jaxfrost` does."""

import sys

from pipeline.main import main

if __name__ == "__main__":   # a launcher's worker may import this file by its path
    sys.exit(main())
