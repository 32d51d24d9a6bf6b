-- The changes of flags' rules in compact form: the shapes before and after, and the values that
-- were added to a list or removed from it.

CREATE TABLE flag_steps (
    revision INTEGER PRIMARY KEY,
    flag TEXT NOT NULL,
    before_state TEXT,
    before_pct INTEGER,
    before_closed INTEGER,
    after_state TEXT,
    after_pct INTEGER,
    after_closed INTEGER
) STRICT;

CREATE TABLE flag_listings (
    axis TEXT NOT NULL,
    value TEXT NOT NULL,
    revision INTEGER NOT NULL,
    flag TEXT NOT NULL,
    is_listed INTEGER NOT NULL,
    PRIMARY KEY (axis, value, revision)
) STRICT, WITHOUT ROWID;

-- The bytes of each flag's rule in a snapshot. Their sum is limited, because clients limit
-- snapshots.
ALTER TABLE flags ADD COLUMN rule_bytes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX flags_by_rule_bytes ON flags (rule_bytes);
