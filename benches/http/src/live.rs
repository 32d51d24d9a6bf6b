//! A service with the live client of Dezky: it evaluates locally and follows the stream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dezky::{Client, ClientEvent, ConnectOptions};
use dezky_core::flags::Subject;
use tokio::sync::mpsc;

use crate::Failure;

/// The longest wait for a change. A longer wait ends the run.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The flag and the tenant that are evaluated after each change.
#[derive(Clone)]
pub struct Question {
    /// The key of the flag.
    pub flag: String,
    /// The id, slug and subscription plan of the tenant.
    pub tenant: [String; 3],
}

/// A service that reports each evaluation with its time.
pub struct Live {
    evaluations: mpsc::UnboundedReceiver<(Instant, bool)>,
    _client: Arc<Client>,
}

impl Live {
    /// Connects the client and waits until it has rules.
    pub async fn connect(address: SocketAddr, key: &str, question: Question) -> Result<Live, Failure> {
        let (sender, evaluations) = mpsc::unbounded_channel();
        let client =
            Arc::new(Client::connect_async(ConnectOptions::new(format!("http://{address}"), key)).await?);
        let reader = Arc::downgrade(&client);
        client.on(move |event| {
            let (ClientEvent::Change { .. }, Some(client)) = (event, reader.upgrade()) else { return };
            let [id, slug, plan] = &question.tenant;
            if let Ok(subject) = Subject::new(id, slug, plan) {
                let is_enabled = client.is_enabled(&question.flag, &subject);
                // The receiver is gone after the end of the run.
                let _ = sender.send((Instant::now(), is_enabled));
            }
        });
        Ok(Live { evaluations, _client: client })
    }

    /// Waits until the flag has the value and returns the time of the first evaluation.
    pub async fn evaluates(&mut self, expected: bool) -> Result<Instant, Failure> {
        loop {
            let evaluation = tokio::time::timeout(TIMEOUT, self.evaluations.recv()).await?;
            let (at, is_enabled) = evaluation.ok_or("a client has ended")?;
            if is_enabled == expected {
                return Ok(at);
            }
        }
    }
}
