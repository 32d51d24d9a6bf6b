//! Rate limits of evaluations.

use futures_util::future::join_all;

use super::{BULK, context};
use crate::support::{Answer, Api, Server};

#[tokio::test]
async fn an_exceeded_rate_limit_tells_how_long_to_wait() {
    let server = Server::start_with(&["--rate-limit", "3", "--failure-limit", "0"]);
    let key = Api::with_key(&server, &server.tenant_key("acme").await).await;
    let answers = join_all((0..12).map(|_| key.post(BULK).json(context("acme")).send())).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!((7..=9).contains(&refused.len()), "{}", refused.len());
    for answer in refused {
        assert_eq!(answer.header("retry-after"), "1", "Retry-After is in whole seconds");
    }
    // A server key has ten times the rate of a tenant key, however many instances it names.
    let fleet = Api::with_key(&server, &server.server_key().await).await;
    let answers = join_all((0..90).map(|number| {
        fleet.post(BULK).json(context("acme")).header("dezky-instance", format!("web-{number}")).send()
    }));
    let answered = answers.await.iter().filter(|answer| answer.status == 200).count();
    assert!((30..=60).contains(&answered), "{answered}");
}
