"""Where super-resolution meets `search`: the problem of a study, its scorer and its picks."""
