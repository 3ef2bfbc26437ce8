"""The database: engine, sessions, base class of the tables, migrations."""
