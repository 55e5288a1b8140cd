"""Multi-objective search over any space of discrete choices, a plug-in on Optuna."""
