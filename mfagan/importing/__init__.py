"""Reading other authors' files of weights: PyTorch's as plain data, and weights under other names."""
