"""Networks in the formats and on the runtimes of devices."""
