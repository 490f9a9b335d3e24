"""The doors: what the core needs, as Protocols."""
