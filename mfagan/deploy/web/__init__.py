"""The web page that enlarges pictures in the browser."""
