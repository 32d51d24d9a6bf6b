//! The HTML pages: no scripts, usable with keyboard and screen reader.

use crate::Persona;
use crate::answer::Parameters;

/// The parameters of the authorization request that the form repeats.
const REPEATED: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}\
ul{list-style:none;padding:0}\
button{font:inherit;width:100%;text-align:left;margin:.25rem 0;padding:.75rem 1rem;border:1px solid #595959;\
border-radius:.5rem;color:inherit;background:#f4f4f4;cursor:pointer}\
button:hover{background:#e4e4e4}button:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}\
button span{display:block;color:#404040;font-size:1rem}";

/// The page to pick a persona. Hidden fields repeat the application's request.
pub(crate) fn choice(personas: &[Persona], base: &str, client_id: &str, parameters: &Parameters) -> String {
    let hidden: String = parameters
        .iter()
        .filter(|(name, _)| REPEATED.contains(name))
        .map(|(name, value)| {
            format!(r#"<input type="hidden" name="{}" value="{}">"#, escape(name), escape(value))
        })
        .collect();
    let buttons: String = personas.iter().map(button).collect();
    let body = format!(
        "<p>This page is for development on this machine. It asks for no password, and every persona is invented. \
         The application <strong>{}</strong> asks you to sign in.</p>\
         <form method=\"post\" action=\"{}/authorize\">{hidden}<ul>{buttons}</ul></form>",
        escape(client_id),
        escape(base),
    );
    page("Sign in as", &body)
}

/// A page with one message.
pub(crate) fn message(title: &str, text: &str) -> String {
    page(title, &format!("<p>{}</p>", escape(text)))
}

fn button(persona: &Persona) -> String {
    format!(
        r#"<li><button name="persona" value="{}">{} ({})<span>{}</span></button></li>"#,
        escape(&persona.name),
        escape(&persona.full_name),
        escape(&persona.name),
        escape(&persona.title),
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Dezky, development</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
