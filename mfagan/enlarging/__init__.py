"""A network that enlarges pictures: loaded, in tiles, within bounded memory."""
