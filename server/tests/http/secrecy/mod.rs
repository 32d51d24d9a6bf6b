//! Members, owners and keys of one tenant learn nothing of other tenants: not by any endpoint,
//! header, entity tag, stream, text or response time.

mod absence;
mod observation;
mod timing;
mod two_tenants;
mod unchanged;
