"""ONNX files: written, run, and computed in tiles."""
