"""What is found of a network while it runs: its operators with their constants, and the memory that it takes."""
