"""How good a translator's pictures are, against real ones or another network's."""
