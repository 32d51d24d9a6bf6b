//! The crates `open-feature` and `open-feature-ofrep` against a running server: every case of the scene whose file is given.

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
    let path = std::env::args().nth(1).ok_or("which scene?")?;
    let scene: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let cases = scene["cases"].as_array().ok_or("a scene without cases")?;
    let mut clients = HashMap::new();
    let mut wrong = 0;
    for case in cases {
        let secret = text(&case["secret"])?;
        if !clients.contains_key(&secret) {
            clients.insert(secret.clone(), client_of(&scene["url"], &secret).await?);
        }
        let client = clients.get(&secret).ok_or("no client")?;
        let shown = ask(client, case).await?;
        if shown != case["expected"] {
            wrong += 1;
            eprintln!("{}: shown {shown}, expected {}", case["name"], case["expected"]);
        }
    }
    println!("{} cases, {wrong} wrong", cases.len());
    if wrong == 0 { Ok(()) } else { Err("not every case is as expected".into()) }
}

/// A client for whoever has this key.
async fn client_of(url: &Value, secret: &str) -> Result<Client, Failure> {
    let mut options = OfrepOptions { base_url: text(url)?, ..OfrepOptions::default() };
    options.headers.insert("x-api-key", secret.parse()?);
    let provider = OfrepProvider::new(options).await.map_err(|error| format!("{error:?}"))?;
    let mut api = OpenFeature::singleton_mut().await;
    api.set_named_provider(secret, provider).await;
    Ok(api.create_named_client(secret))
}

/// What a client shows of a case.
async fn ask(client: &Client, case: &Value) -> Result<Value, Failure> {
    let mut context = EvaluationContext::default();
    for (name, value) in case["context"].as_object().unwrap_or(&Map::new()) {
        context = match name.as_str() {
            "targetingKey" => context.with_targeting_key(text(value)?),
            _ => context.with_custom_field(name, text(value)?),
        };
    }
    let (flag, context) = (text(&case["flag"])?, Some(&context));
    let shown = match text(&case["type"])?.as_str() {
        "boolean" => {
            client.get_bool_details(&flag, context, None).await.map(|found| shown(found, Value::Bool))
        }
        "string" => {
            client.get_string_details(&flag, context, None).await.map(|found| shown(found, Value::String))
        }
        "number" => {
            client.get_float_details(&flag, context, None).await.map(|found| shown(found, Value::from))
        }
        _ => client
            .get_struct_details::<StructValue>(&flag, context, None)
            .await
            .map(|found| shown(found, |value| Value::String(format!("{value:?}")))),
    };
    Ok(shown.unwrap_or_else(|error| refused(error, &case["default"])))
}

fn text(value: &Value) -> Result<String, Failure> {
    Ok(value.as_str().ok_or("a text is needed")?.to_owned())
}

fn shown<T>(details: EvaluationDetails<T>, to_json: impl Fn(T) -> Value) -> Value {
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

/// This SDK takes no default: whoever asks would use it now.
fn refused(error: EvaluationError, default: &Value) -> Value {
    let code = match error.code {
        EvaluationErrorCode::General(_) => "GENERAL".to_owned(),
        code => code.to_string(),
    };
    json!({ "errorCode": code, "value": default })
}
