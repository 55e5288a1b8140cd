"""What the experiments of all systems share: tables of results, and things timed in turn."""
