"""`python -m mfagan`, the same as `mfagan`; for `torchrun --nproc-per-node N -m mfagan train ...`."""

from mfagan.cli import main

main()
