"""Files of generators for phones and browsers: what a file is made of, and its check against PyTorch."""
