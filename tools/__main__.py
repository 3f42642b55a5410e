"""`python -m minigrad.tools` is the command `minigrad`."""

import sys

from minigrad.tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
