-- Machine keys: of a secret there is its hash alone. When it was last used is no part of the record.

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    last_used_at INTEGER,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
