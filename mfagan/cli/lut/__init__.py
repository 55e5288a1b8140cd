"""Commands on latency tables: the group `mfagan lut`."""
