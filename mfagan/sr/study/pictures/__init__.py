"""What a page shows of SubGenerators: crops, a drawing, the parts of the latency, qualities."""
