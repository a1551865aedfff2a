"""``python -m postroad`` is the command line."""

import sys

from postroad.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
