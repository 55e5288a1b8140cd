"""CoroNetGAN (Kumar et al. 2022): image translation networks that are pruned to a named ratio while they train."""
