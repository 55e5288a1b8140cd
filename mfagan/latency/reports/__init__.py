"""Reports of the field's measuring tools: one file a format, each read into a `Timing`."""
