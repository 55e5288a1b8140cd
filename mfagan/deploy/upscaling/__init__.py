"""Files of pictures and clips, enlarged by a model or an exported file."""
