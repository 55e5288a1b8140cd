"""Two xdist workers share two cores: one thread each, in this process and in those it starts."""

import os

os.environ["OMP_NUM_THREADS"] = "1"
