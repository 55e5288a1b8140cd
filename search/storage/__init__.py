"""Where studies are kept: addresses, connections, claims of workers and the ledger."""
