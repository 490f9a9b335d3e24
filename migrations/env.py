"""Alembic's entry: runs on the connection it is given by `hosting.adapters.sql.migrate`."""

from alembic import context

from hosting.adapters.sql.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
