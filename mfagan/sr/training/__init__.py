"""The stages of MFAGAN's training, their losses and distillation."""
