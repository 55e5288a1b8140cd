"""Blocks and networks timed on this machine: runtimes, samples in turn until they are stable, and tables of them."""
