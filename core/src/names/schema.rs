//! The JSON Schema of percentages.

use schemars::json_schema;

use super::Percent;
use crate::schema::schemas;

schemas! {
    Percent: |_| json_schema!({ "type": "number", "minimum": 0, "maximum": 100 });
}
