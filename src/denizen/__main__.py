"""`python -m denizen`."""

import sys

from denizen.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
