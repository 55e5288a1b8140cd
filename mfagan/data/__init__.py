"""Image pairs: reading pictures, pairing and splitting sets, cutting crops, checking a folder."""
