"""TensorFlow Lite files: written, run by LiteRT, and computed in tiles."""
