"""The gate: the one published port. Who may see, who may touch, and the way through to Xvnc."""
