"""Pictures to translate from one domain A into another, B: folders, checks, reading, batches."""
