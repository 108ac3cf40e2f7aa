"""The conductor: PID 1. Programs by readiness, the user's command in the foreground."""

from deskgate.conductor import lean
from deskgate.lean import load_basics

# Here, since it has to come before the first import of supervisor, whichever module has that.
load_basics()
lean.hold_back()
