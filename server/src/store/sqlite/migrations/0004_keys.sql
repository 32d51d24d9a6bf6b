-- Machine keys. Only the hash of a secret is stored. The last use is not part of the record.

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    last_used_at INTEGER,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
