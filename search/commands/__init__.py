"""What all commands have in common: `--json`, `--quiet` and `-h`, their help, the next command, Ctrl-C, errors."""
