"""What an exported file says of itself, and the card beside it."""
