"""The store on SQLite and PostgreSQL: one SQLAlchemy Core code base."""
