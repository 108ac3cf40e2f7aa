"""What the figures in the docs come from, and the long run: see `make bench` and `make soak`."""
