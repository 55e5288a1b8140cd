"""Where CoroNetGAN meets `search`: the problem of a study, its scorer, its pictures and its picks."""
