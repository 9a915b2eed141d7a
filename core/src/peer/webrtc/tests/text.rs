//! Private text over real connections.

use super::support::*;
use crate::peer::PeerEvent;
use crate::text::{Conversation, TextEvent, TextId};
use std::time::Instant;

/// Sends what there is to send, and takes what comes until there is something to tell.
async fn next(peer: &mut Peer, conversation: &mut Conversation) -> TextEvent {
    loop {
        send(peer, conversation);
        if let Some(event) = conversation.poll_event() {
            return event;
        }
        let frame = peer.wait("frame of text", |event| match event {
            PeerEvent::Text(frame) => Ok(frame),
            other => Err(other),
        });
        conversation.receive(Instant::now(), &frame.await);
    }
}

fn send(peer: &Peer, conversation: &mut Conversation) {
    while let Some(frame) = conversation.poll_frame() {
        peer.connection.send_text(frame).unwrap();
    }
}

#[tokio::test]
async fn texts_arrive_in_order_and_what_a_connection_took_with_it_comes_once_over_the_next() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    let (mut ana, mut rui) = (Conversation::default(), Conversation::default());
    ana.connected();
    rui.connected();
    let (at_a, at_b) = tokio::join!(next(&mut a, &mut ana), next(&mut b, &mut rui));
    assert_eq!((at_a, at_b), (TextEvent::Available, TextEvent::Available));
    let ids: Vec<TextId> = (0..20).map(|_| TextId::random()).collect();
    for (n, id) in ids.iter().enumerate() {
        ana.send(Instant::now(), *id, &format!("text {n}")).unwrap();
    }
    send(&a, &mut ana);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(next(&mut b, &mut rui).await, TextEvent::Received { id: *id, text: format!("text {n}") });
    }
    // Of the last ones the marks are lost with the connection; this one is not even sent.
    let late = TextId::random();
    ana.send(Instant::now(), late, "late").unwrap();
    close([a, b]).await;

    // The other one offers this time.
    let (mut b, mut a) = connect(config(true), config(false)).await;
    ana.connected();
    rui.connected();
    let at_b = async {
        let event = next(&mut b, &mut rui).await;
        // Marks for what is sent again.
        send(&b, &mut rui);
        event
    };
    let at_a = async {
        let mut delivered = Vec::new();
        while delivered.len() <= ids.len() {
            match next(&mut a, &mut ana).await {
                TextEvent::Delivered { id } => delivered.push(id),
                other => panic!("{other:?}"),
            }
        }
        delivered
    };
    let (event, delivered) = tokio::join!(at_b, at_a);
    assert_eq!(event, TextEvent::Received { id: late, text: "late".into() }, "no other is shown again");
    assert_eq!(delivered.last(), Some(&late));
    close([a, b]).await;
}
