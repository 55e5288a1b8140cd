"""The super-resolution networks."""
