"""StyleGAN2's mapping and synthesis."""
