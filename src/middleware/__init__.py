"""What wraps a run: layers around its turn."""
