"""What a step draws: drawings, slices of a weight-shared network, pictures that were translated before."""
