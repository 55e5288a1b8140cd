"""Networks that more than one system builds with."""
