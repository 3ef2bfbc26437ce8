"""`python -m mainsdesk`."""

import sys

from mainsdesk.cli import main

if __name__ == "__main__":
    sys.exit(main())
