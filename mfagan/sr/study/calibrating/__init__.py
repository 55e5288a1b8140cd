"""SubGenerators that are measured whole, to audit and to calibrate latency tables."""
