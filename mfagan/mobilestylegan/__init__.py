"""MobileStyleGAN (Belousov 2021): a small generator of images, distilled from a StyleGAN2."""
