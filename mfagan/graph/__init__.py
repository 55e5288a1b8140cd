"""A network as a list of operators: how it is recorded, traced and costed, for every system."""
