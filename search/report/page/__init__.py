"""The parts of the interactive page of a front: its data, and the scripts and styles that show them."""
