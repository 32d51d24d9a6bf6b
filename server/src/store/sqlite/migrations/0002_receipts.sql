-- The responses to writes with an idempotency key.

CREATE TABLE receipts (
    holder TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    etag TEXT,
    location TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (holder, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_time ON receipts (at);
