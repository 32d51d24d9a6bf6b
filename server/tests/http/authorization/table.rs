//! The table of all routes and all callers, written by hand from the rules.

/// The status and code of each word in the cells.
pub const WORDS: [(&str, u16, &str); 12] = [
    ("none", 401, "token_missing"),
    ("sign", 401, "token_signature"),
    ("aud", 403, "denied_operator_audience"),
    ("adm", 403, "denied_not_platform_admin"),
    ("mem", 403, "denied_not_member"),
    ("role", 403, "denied_role"),
    ("gone", 403, "denied_inactive_user"),
    ("new", 403, "denied_no_user"),
    ("key", 403, "denied_key_scope"),
    ("void", 401, "key_unknown"),
    ("link", 401, "link_invalid"),
    ("404", 404, "not_found"),
];

/// A row for each route, below the names of the callers; some routes have a second row with another
/// query or another record. A cell has a status or one of [`WORDS`].
///
/// The rows are about the tenant acme: `member` and `owner` belong to it, `other` belongs to
/// globex. `admin` is the operator with a portal token. `support` has an operator token and no
/// rights, `former` was an admin, `stranger` has no record, and `inactive` was a member of acme.
/// The last four are machine keys: a server key, acme's, globex's, and a server key that was
/// revoked.
#[rustfmt::skip]
const TABLE: &[&str] = &[
    "METHOD ROUTE                      nobody forged member other owner admin support operator former stranger inactive serverKey tenantKey otherKey revoked",
    "GET    /tenants                   none   sign   200    200   200   200   200     200      gone   new      gone   key       key       key      void",
    "POST   /tenants                   none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "GET    /tenants/{slug}            none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "PATCH  /tenants/{slug}            none   sign   role   404   200   aud   404     200      gone   new      gone   404       404       404      void",
    "DELETE /tenants/{slug}            none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /tenants/{slug}/suspend    none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /tenants/{slug}/resume     none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /tenants/{slug}/activate   none   sign   aud    aud   aud   aud   adm     409      gone   new      gone   key       key       key      void",
    "GET    /tenants/{slug}/users      none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "GET    /tenants/{slug}/subject    none   sign   200    404   200   200   404     200      gone   new      gone   200       200       404      void",
    "GET    /subjects                  none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   200       key       key      void",
    "GET    /partners                  none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /partners                  none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "GET    /partners/{slug}           none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "PATCH  /partners/{slug}           none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /partners/{slug}           none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /partners/{slug}/tenants   none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /users                     none   sign   adm    adm   adm   200   adm     200      gone   new      gone   key       key       key      void",
    "GET    /users/{id}                none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "GET    /users/{id} colleague      none   sign   404    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "PATCH  /users/{id}                none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /users/{id}                none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /subscriptions             none   sign   200    200   200   200   200     200      gone   new      gone   key       key       key      void",
    "GET    /subscriptions ?tenant     none   sign   200    200   200   200   200     200      gone   new      gone   key       key       key      void",
    "POST   /subscriptions             none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "GET    /subscriptions/mrr         none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /subscriptions/{id}        none   sign   200    404   200   200   404     200      gone   new      gone   404       404       404      void",
    "PATCH  /subscriptions/{id}        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /subscriptions/{id}        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags                     none   sign   200    200   200   200   mem     200      gone   new      gone   key       key       key      void",
    "POST   /flags                     none   sign   aud    aud   aud   aud   adm     201      gone   new      gone   key       key       key      void",
    "POST   /flags/evaluate            none   sign   200    404   200   200   404     200      gone   new      gone   200       200       404      void",
    "POST   /flags/plan                none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/{key}               none   sign   200    200   200   200   mem     200      gone   new      gone   key       key       key      void",
    "PATCH  /flags/{key}               none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "DELETE /flags/{key}               none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /flags/{key}/kill          none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "POST   /flags/{key}/restore       none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/{key}/ladder        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/{key}/counts        none   sign   aud    aud   aud   aud   adm     200      gone   new      gone   key       key       key      void",
    "GET    /flags/snapshot            none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     200       key       key      void",
    "GET    /flags/stream              none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     200       key       key      void",
    "GET    /flags/slice               none   sign   200    404   200   200   404     200      gone   new      gone     200       200       404      void",
    "GET    /flags/slice/stream        none   sign   200    404   200   200   404     200      gone   new      gone     200       200       404      void",
    "GET    /flags/reach               none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    // Requests for other tenants get this refusal, whether the tenant exists or not.
    "POST   /ofrep/v1/evaluate/flags   none   sign   200    mem   200   200   mem     200      gone   new      gone     200       200       key      void",
    "POST   /ofrep/v1/evaluate/flags/{key} none sign   200    mem   200   200   mem     200      gone   new      gone     200       200       key      void",
    // The link alone decides; other credentials do not count.
    "GET    /ofrep/v1/stream           link   link   link   link  link  link  link    link     link   link     link     link      link      link     link",
    "GET    /ofrep/v1/stream linked    200    200    200    200   200   200   200     200      200    200      200      200       200       200      200",
    "GET    /keys                      none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "POST   /keys                      none   sign   aud    aud   aud   aud   adm     201      gone   new      gone     key       key       key      void",
    "GET    /keys/{id}                 none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "POST   /keys/{id}/rotate          none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "DELETE /keys/{id}                 none   sign   aud    aud   aud   aud   adm     200      gone   new      gone     key       key       key      void",
    "GET    /audit                     none   sign   mem    mem   mem   aud   mem     200      gone   new      gone   key       key       key      void",
    "GET    /audit ?tenant             none   sign   role   404   200   aud   404     200      gone   new      gone   404       404       404      void",
    "GET    /audit/export              none   sign   mem    mem   mem   aud   mem     200      gone   new      gone   key       key       key      void",
    "POST   /audit/verify              none   sign   mem    mem   mem   aud   mem     200      gone   new      gone   key       key       key      void",
    // The last row with rights, because it creates the stranger's record.
    "GET    /users/me                  none   sign   200    200   200   200   200     200      gone   200      gone   key       key       key      void",
    "GET    /healthz                   200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /readyz                    200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /metrics                   200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /openapi.json              200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
    "GET    /docs                      200    200    200    200   200   200   200     200      200    200      200    200       200       200      200",
];

/// A row of the table: a route, an optional variant of the request, and a cell for each caller.
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub variant: &'static str,
    pub cells: Vec<&'static str>,
}

/// The names of the callers, in the order of the cells.
pub fn callers() -> Vec<&'static str> {
    TABLE[0].split_whitespace().skip(2).collect()
}

pub fn rows() -> Vec<Row> {
    let columns = callers().len();
    TABLE[1..].iter().map(|line| row(line, columns)).collect()
}

fn row(line: &'static str, columns: usize) -> Row {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let cells = words.split_off(words.len() - columns);
    Row { method: words[0], path: words[1], variant: words.get(2).copied().unwrap_or_default(), cells }
}
