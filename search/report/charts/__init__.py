"""Charts of plain data that is no study: bubbles, predictions, series of named points."""
