"""What makes the database itself refuse to change the audit log: triggers, for both kinds of database.

An operator with full rights can drop them; that an entry was changed then shows in the chain of hashes.
"""

from sqlalchemy import DDL, event
from sqlalchemy.schema import ExecutableDDLElement

from api.audit.tables import AuditEntry
from api.db.base import table_of

_REFUSAL = "audit_entries is append-only"


def _sqlite(name: str, moment: str, condition: str = "") -> str:
    return (
        f"CREATE TRIGGER audit_entries_{name} BEFORE {moment} ON audit_entries {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    )


#: Statements by dialect; a migration executes them one by one after it created the table.
PROTECTION: dict[str, tuple[str, ...]] = {
    "sqlite": (
        _sqlite("no_update", "UPDATE"),
        _sqlite("no_delete", "DELETE"),
        # INSERT OR REPLACE deletes without the trigger above.
        _sqlite("at_the_end", "INSERT", "WHEN NEW.id <= (SELECT max(id) FROM audit_entries)"),
    ),
    "postgresql": (
        "CREATE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse()",
        "CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()",
    ),
}
#: What undoes them, for a migration's way back; the table's triggers go with it.
UNPROTECTION: dict[str, tuple[str, ...]] = {
    "sqlite": (),
    "postgresql": ("DROP FUNCTION IF EXISTS audit_entries_refuse()",),
}

for moment, changes in (("after_create", PROTECTION), ("after_drop", UNPROTECTION)):
    for dialect, statements in changes.items():
        for statement in statements:
            ddl: ExecutableDDLElement = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table_of(AuditEntry), moment, ddl.execute_if(dialect=dialect))
