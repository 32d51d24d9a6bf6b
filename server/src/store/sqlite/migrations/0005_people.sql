-- Only verified addresses are reserved, and the addresses of records that nobody has claimed. Older
-- records do not say whether their address is verified: a claimed record (with an identity)
-- reserves nothing until a sign-in verifies the address.

CREATE TABLE new_users (
    id TEXT PRIMARY KEY,
    reserved_email TEXT UNIQUE,
    identity TEXT UNIQUE,
    is_active_admin INTEGER NOT NULL,
    last_login_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
INSERT INTO new_users (id, reserved_email, identity, is_active_admin, last_login_at, version, doc)
    SELECT id, CASE WHEN identity IS NULL THEN email END, identity, is_active_admin, last_login_at, version, doc FROM users;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;
CREATE INDEX users_by_login ON users (last_login_at, id);
CREATE INDEX active_admins ON users (id) WHERE is_active_admin = 1;

-- The tenants whose audit lists a change: the record's tenant, and each tenant that a user joins or
-- leaves.

CREATE TABLE change_tenants (
    tenant_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, revision)
) STRICT, WITHOUT ROWID;
INSERT INTO change_tenants (tenant_id, revision) SELECT tenant_id, revision FROM changes WHERE tenant_id IS NOT NULL;
INSERT INTO change_tenants (tenant_id, revision)
    SELECT tenant_id, revision FROM (
        SELECT revision, value AS tenant_id FROM changes, json_each(changes.doc, '$.before.tenantIds') WHERE kind = 'user'
        UNION ALL
        SELECT revision, value AS tenant_id FROM changes, json_each(changes.doc, '$.after.tenantIds') WHERE kind = 'user'
    ) GROUP BY revision, tenant_id HAVING count(*) = 1;
DROP INDEX changes_by_tenant;

-- During a rotation, the previous secret of a machine key stays valid for a while.

ALTER TABLE keys ADD COLUMN previous_hash BLOB;
ALTER TABLE keys ADD COLUMN last_used_from TEXT;
CREATE UNIQUE INDEX keys_by_previous_hash ON keys (previous_hash) WHERE previous_hash IS NOT NULL;
