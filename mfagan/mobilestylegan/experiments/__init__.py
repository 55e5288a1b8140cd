"""What the package measures of MobileStyleGAN itself: the report of the demo."""
