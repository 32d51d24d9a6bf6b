-- A trigram index of slugs and names. The store updates it in the same transaction as the row.

CREATE VIRTUAL TABLE tenant_search USING fts5 (
    search, content = 'tenants', content_rowid = 'number', tokenize = 'trigram case_sensitive 1', columnsize = 0
);
INSERT INTO tenant_search (tenant_search) VALUES ('rebuild');
