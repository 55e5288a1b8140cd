"""The form of a translator whose weights a hypernetwork makes of latent vectors, and how sparse latents prune it."""
