"""Commands on pictures, weights and training."""
