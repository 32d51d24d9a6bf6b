-- Each table has columns for lookups, and the document that core defines.

CREATE TABLE tenants (
    -- Declared so that VACUUM keeps the numbers, to which the search index refers.
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    search TEXT NOT NULL,
    status TEXT NOT NULL,
    plan TEXT NOT NULL,
    partner_id TEXT,
    authentik_group TEXT,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenants_by_slug ON tenants (slug);
-- These indexes contain the searched text, so that a scan in order reads only matching rows.
-- `search` begins with the slug and a newline. A newline sorts before every character of a slug, so
-- the order is that of slugs.
CREATE INDEX tenants_by_search ON tenants (search);
CREATE INDEX tenants_by_name ON tenants (folded_name, id, search);
CREATE INDEX tenants_by_creation ON tenants (created_at, id, search);
CREATE INDEX tenants_by_status ON tenants (status, slug, id);
CREATE INDEX tenants_by_plan ON tenants (plan, slug, id);
CREATE INDEX tenants_by_partner ON tenants (partner_id, slug, id) WHERE partner_id IS NOT NULL;
CREATE INDEX tenants_by_group ON tenants (authentik_group) WHERE authentik_group IS NOT NULL;

CREATE TABLE partners (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    identity TEXT UNIQUE,
    is_active_admin INTEGER NOT NULL,
    last_login_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX users_by_login ON users (last_login_at, id);
CREATE INDEX active_admins ON users (id) WHERE is_active_admin = 1;

CREATE TABLE memberships (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    plan TEXT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    interval TEXT NOT NULL,
    interval_count INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX subscriptions_by_creation ON subscriptions (created_at, id);
CREATE INDEX subscriptions_by_tenant ON subscriptions (tenant_id, created_at, id);

CREATE TABLE flags (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

CREATE TABLE changes (
    revision INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_id TEXT,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    tenant_id TEXT,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_entity ON changes (kind, entity_id, revision);
CREATE INDEX changes_by_tenant ON changes (tenant_id, revision) WHERE tenant_id IS NOT NULL;
CREATE INDEX changes_by_actor ON changes (actor_id, revision) WHERE actor_id IS NOT NULL;
CREATE INDEX changes_by_action ON changes (action, revision);
CREATE INDEX changes_by_time ON changes (at, revision);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
