"""The super-resolution system: MFANet, its SuperGenerator and their training."""
