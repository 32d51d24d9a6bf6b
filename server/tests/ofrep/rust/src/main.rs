//! Checks the crate `open-feature-ofrep` against a running server: all cases of a scene file.

use std::collections::HashMap;
use std::error::Error;

use open_feature::{
    Client, EvaluationContext, EvaluationDetails, EvaluationError, EvaluationErrorCode, FlagMetadataValue,
    OpenFeature, StructValue,
};
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use serde_json::{Map, Value, json};

type Failure = Box<dyn Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("the path of a scene is missing")?;
    let scene: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let cases = scene["cases"].as_array().ok_or("a scene without cases")?;
    let mut clients = HashMap::new();
    let mut wrong = 0;
    for case in cases {
        let secret = string(&case["secret"])?;
        if !clients.contains_key(&secret) {
            clients.insert(secret.clone(), new_client(&scene["url"], &secret).await?);
        }
        let client = clients.get(&secret).ok_or("a client is missing")?;
        let result = evaluate(client, case).await?;
        if result != case["expected"] {
            wrong += 1;
            eprintln!("{}: got {result}, expected {}", case["name"], case["expected"]);
        }
    }
    println!("{} cases, {wrong} wrong", cases.len());
    if wrong == 0 { Ok(()) } else { Err("not every case is as expected".into()) }
}

/// Creates a client with a key.
async fn new_client(url: &Value, secret: &str) -> Result<Client, Failure> {
    let mut options = OfrepOptions { base_url: string(url)?, ..OfrepOptions::default() };
    options.headers.insert("x-api-key", secret.parse()?);
    let provider = OfrepProvider::new(options).await.map_err(|error| format!("{error:?}"))?;
    let mut api = OpenFeature::singleton_mut().await;
    api.set_named_provider(secret, provider).await;
    Ok(api.create_named_client(secret))
}

/// Returns the result of a client for a case.
async fn evaluate(client: &Client, case: &Value) -> Result<Value, Failure> {
    let mut context = EvaluationContext::default();
    for (name, value) in case["context"].as_object().unwrap_or(&Map::new()) {
        context = match name.as_str() {
            "targetingKey" => context.with_targeting_key(string(value)?),
            _ => context.with_custom_field(name, string(value)?),
        };
    }
    let (flag, context) = (string(&case["flag"])?, Some(&context));
    let result = match string(&case["type"])?.as_str() {
        "boolean" => client
            .get_bool_details(&flag, context, None)
            .await
            .map(|found| success_result(found, Value::Bool)),
        "string" => client
            .get_string_details(&flag, context, None)
            .await
            .map(|found| success_result(found, Value::String)),
        "number" => client
            .get_float_details(&flag, context, None)
            .await
            .map(|found| success_result(found, Value::from)),
        _ => client
            .get_struct_details::<StructValue>(&flag, context, None)
            .await
            .map(|found| success_result(found, |value| Value::String(format!("{value:?}")))),
    };
    Ok(result.unwrap_or_else(|error| failure_result(error, &case["default"])))
}

fn string(value: &Value) -> Result<String, Failure> {
    Ok(value.as_str().ok_or("a string is needed")?.to_owned())
}

fn success_result<T>(details: EvaluationDetails<T>, to_json: impl Fn(T) -> Value) -> Value {
    let metadata: Map<String, Value> = details
        .flag_metadata
        .values
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                FlagMetadataValue::Bool(value) => Value::from(value),
                FlagMetadataValue::Int(value) => Value::from(value),
                FlagMetadataValue::Float(value) => Value::from(value),
                FlagMetadataValue::String(value) => Value::from(value),
            };
            (name, value)
        })
        .collect();
    json!({
        "value": to_json(details.value),
        "reason": details.reason.map(|reason| reason.to_string()),
        "variant": details.variant,
        "metadata": metadata,
    })
}

/// Returns the result of a failed evaluation. This SDK has no defaults, so callers use their own.
fn failure_result(error: EvaluationError, default: &Value) -> Value {
    let code = match error.code {
        EvaluationErrorCode::General(_) => "GENERAL".to_owned(),
        code => code.to_string(),
    };
    json!({ "errorCode": code, "value": default })
}
