"""How translators are trained: whole, at uniform widths, pruned to a ratio while they train, sharing their weights."""
