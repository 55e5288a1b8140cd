"""Commands on trained networks: measuring, exporting and using them."""
