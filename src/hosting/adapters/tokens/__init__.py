"""Tokens, by PyJWT."""
