"""The conductor: PID 1. Programs by readiness, the user's command in the foreground."""
