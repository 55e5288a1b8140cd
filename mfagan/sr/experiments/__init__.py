"""The paper's tables, ablations, comparisons, benchmarks and the demo's report."""
