"""The training of any system: recipes, runs, stages, the loop, snapshots and losses."""
