"""The doors of a node that is not at the database: what it writes and reads goes through a server."""
