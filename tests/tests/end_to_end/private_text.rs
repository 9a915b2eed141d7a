//! Private text in calls between two cores.

use chamada::call::CallState;
use chamada::client::{ClientError, ClientEvent};
use chamada::text::{TextError, TextEvent, TextId};
use chamada_tests::phone::{Phone, must};
use chamada_tests::real_server::RealServer;

async fn told(phone: &mut Phone) -> TextEvent {
    phone
        .until("event of the private text", |event| match event {
            ClientEvent::Text(event) => Some(event.clone()),
            _ => None,
        })
        .await
}

/// Until this side may take for granted that the other one takes text.
async fn available(phone: &mut Phone) {
    assert_eq!(told(phone).await, TextEvent::Available);
}

async fn arrives(from: &Phone, to: &mut Phone, text: &str) -> TextId {
    let id = must(from.client.send_text(text).await);
    assert_eq!(told(to).await, TextEvent::Received { id, text: text.into() });
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_write_to_each_other_and_see_typing_and_delivery() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    assert!(matches!(ana.client.send_text("early").await, Err(ClientError::Text(TextError::NoCall))));
    ana.talks_with(&mut rui, "rui").await;
    tokio::join!(available(&mut ana), available(&mut rui));
    must(ana.client.set_typing(true).await);
    assert_eq!(told(&mut rui).await, TextEvent::Typing(true));
    let id = must(ana.client.send_text("olá\u{202E} rui").await);
    assert_eq!(told(&mut rui).await, TextEvent::Typing(false));
    assert_eq!(told(&mut rui).await, TextEvent::Received { id, text: "olá rui".into() });
    assert_eq!(told(&mut ana).await, TextEvent::Delivered { id });
    let id = arrives(&rui, &mut ana, "olá ana").await;
    assert_eq!(told(&mut rui).await, TextEvent::Delivered { id });
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
    assert!(matches!(ana.client.send_text("late").await, Err(ClientError::Text(TextError::NoCall))));

    // The next call begins anew.
    ana.talks_with_known(&mut rui, "rui").await;
    tokio::join!(available(&mut ana), available(&mut rui));
    arrives(&rui, &mut ana, "again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_written_while_the_path_is_lost_arrives_when_it_is_back() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    tokio::join!(available(&mut ana), available(&mut rui));
    ana.client.drop_media(true);
    ana.reaches(CallState::Reconnecting).await;
    let id = must(ana.client.send_text("from the tunnel").await);
    ana.client.drop_media(false);
    assert_eq!(told(&mut rui).await, TextEvent::Received { id, text: "from the tunnel".into() });
    assert_eq!(told(&mut ana).await, TextEvent::Delivered { id });
}
