"""What lies in files beside the server."""
