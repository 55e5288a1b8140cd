"""MFAGAN: super-resolution GANs made small for a device: models, distillation, training, deployment."""
