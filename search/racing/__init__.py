"""Racing: choices are scored case by case, and one that evidently cannot reach the front is dropped early."""
