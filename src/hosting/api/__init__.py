"""The HTTP face: routes, bodies, problem documents, server-sent events."""
