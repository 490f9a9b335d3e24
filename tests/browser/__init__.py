"""The pages of the documentation that are for a browser, in a real one."""
