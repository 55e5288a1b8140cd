"""How a search runs: its settings, and the loop of one worker."""
