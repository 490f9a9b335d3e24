"""Routes of the fleet, as workers know them (docs/reference/worker-protocol.md)."""
