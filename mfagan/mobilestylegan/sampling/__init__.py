"""Pictures of a generator: from seeds, latents and styles, for Python and as files."""
