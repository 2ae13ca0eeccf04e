"""The experiments, one file each, found by itself; what several share begins with `_`."""
