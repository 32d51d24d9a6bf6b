//! A service that evaluates by itself, with the client of `dezky-core`: rules of its own, fetched anew whenever a stream says that there are others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dezky::{Client, ClientEvent, ConnectOptions};
use dezky_core::flags::Subject;
use tokio::sync::mpsc;

use crate::Failure;

/// A change that takes longer than this ends the run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is evaluated after each change.
#[derive(Clone)]
pub struct Question {
    /// The flag.
    pub flag: String,
    /// Id, slug and plan of the tenant.
    pub tenant: [String; 3],
}

/// One such service.
pub struct Live {
    told: mpsc::UnboundedReceiver<(Instant, bool)>,
    _client: Arc<Client>,
}

impl Live {
    /// Starts it, and waits until it has evaluated once.
    pub async fn connect(address: SocketAddr, key: &str, question: Question) -> Result<Live, Failure> {
        let (tell, told) = mpsc::unbounded_channel();
        let client =
            Arc::new(Client::connect_async(ConnectOptions::new(format!("http://{address}"), key)).await?);
        let reader = Arc::downgrade(&client);
        client.on(move |event| {
            let (ClientEvent::Change { .. }, Some(client)) = (event, reader.upgrade()) else { return };
            let [id, slug, plan] = &question.tenant;
            if let Ok(subject) = Subject::new(id, slug, plan) {
                let is_enabled = client.is_enabled(&question.flag, &subject);
                // Nobody listens any more once the run is over.
                let _ = tell.send((Instant::now(), is_enabled));
            }
        });
        Ok(Live { told, _client: client })
    }

    /// Waits until it evaluates to this; says when it did so first.
    pub async fn evaluates(&mut self, wanted: bool) -> Result<Instant, Failure> {
        loop {
            let told = tokio::time::timeout(PATIENCE, self.told.recv()).await?;
            let (at, is_enabled) = told.ok_or("a client is gone")?;
            if is_enabled == wanted {
                return Ok(at);
            }
        }
    }
}
