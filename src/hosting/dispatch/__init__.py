"""Which node works on which run: claiming, leases, reaping."""
