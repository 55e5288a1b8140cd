"""What the package measures of CoroNetGAN itself: the demo's report, comparisons, tables of ratios."""
