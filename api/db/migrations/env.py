"""Alembic's entry: migrations run on the connection that `api.db.schema` opened."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from api.db.base import UtcDateTime
from api.db.tables import Base


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Column types as plain SQLAlchemy, so that an old migration never depends on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
    compare_type=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
