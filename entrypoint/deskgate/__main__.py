"""`python -I -m deskgate`: how every launcher starts us, immune to the user's PYTHONPATH."""

import sys

from deskgate.cli import main

if __name__ == "__main__":
    sys.exit(main())
