"""Prices of blocks found from the times of a few whole networks, which an optimal design chooses."""
