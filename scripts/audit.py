"""Audit a network or recordings: which layer makes which line (see docs/audit.md)."""

import sys

from upsampling.audit.command import main

if __name__ == "__main__":
    sys.exit(main())
