"""Networks of any one input as files: written, compared with PyTorch and described."""
