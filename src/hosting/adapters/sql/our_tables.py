"""The names of all tables of ours: a database may have others, of somebody else's."""

from typing import Final

from hosting.adapters.sql import content_tables, credential_tables, fleet_tables, routing_tables
from hosting.adapters.sql.tables import metadata

# Each has put its tables into the metadata.
_DEFINE: Final = (content_tables, credential_tables, fleet_tables, routing_tables)

OUR_TABLES: Final = frozenset(metadata.tables)
