"""Writes the parts of docs/reference that come from code: `python -m docs.generate`, from the top of a clone."""
