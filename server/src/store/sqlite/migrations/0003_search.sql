-- Any three letters of a slug or a name, to the rows that have them. The store keeps it in step, in the transaction of the row.

CREATE VIRTUAL TABLE tenant_search USING fts5 (
    search, content = 'tenants', content_rowid = 'number', tokenize = 'trigram case_sensitive 1', columnsize = 0
);
INSERT INTO tenant_search (tenant_search) VALUES ('rebuild');
