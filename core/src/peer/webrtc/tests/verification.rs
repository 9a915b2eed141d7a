//! The channel and the certificates for the check of the other end.

use super::support::*;
use crate::peer::{DataError, PeerEvent};
use crate::security::{Check, CheckResult, Ends, Role, Word};
use bytes::Bytes;

async fn frame(peer: &mut Peer) -> Bytes {
    peer.wait("frame of the check", |event| match event {
        PeerEvent::Verification(frame) => Ok(frame),
        other => Err(other),
    })
    .await
}

/// Sends what there is to send, and takes one frame.
async fn step(peer: &mut Peer, check: &mut Check) {
    while let Some(frame) = check.poll_frame() {
        peer.connection.send_verification(frame.into()).unwrap();
    }
    if check.result().is_none() {
        check.receive(&frame(peer).await);
    }
}

async fn checked(a: &mut Peer, b: &mut Peer) -> [Word; 4] {
    let (mut one, mut other) = (
        Check::new(a.connection.ends().await.unwrap(), [1; 32], vec![]),
        Check::new(b.connection.ends().await.unwrap(), [2; 32], vec![]),
    );
    let (mut at_a, mut at_b) = (
        async || {
            while one.result().is_none() {
                step(a, &mut one).await
            }
        },
        async || {
            while other.result().is_none() {
                step(b, &mut other).await;
            }
        },
    );
    tokio::join!(at_a(), at_b());
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Compare), Some(CheckResult::Compare)));
    assert_eq!(one.words(), other.words());
    one.words().unwrap()
}

#[tokio::test]
async fn each_side_sees_the_certificate_that_the_other_one_has_and_the_check_comes_to_its_end() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    let (of_a, of_b) = (a.connection.ends().await.unwrap(), b.connection.ends().await.unwrap());
    assert_eq!(of_a, Ends { role: Role::Offerer, own: of_b.peer, peer: of_b.own });
    assert_eq!(of_b.role, Role::Answerer);
    assert_ne!(of_a.own, of_a.peer);
    checked(&mut a, &mut b).await;
    close([a, b]).await;
}

#[tokio::test]
async fn who_rolled_an_own_offer_back_is_the_answerer() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(true)).await);
    b.connection.offer(false).await.unwrap();
    let offer = a.connection.offer(false).await.unwrap();
    let answer = b.connection.answer(offer, true).await.unwrap();
    a.connection.apply_answer(answer).await.unwrap();
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    assert_eq!(b.connection.ends().await.unwrap().role, Role::Answerer);
    checked(&mut a, &mut b).await;
    close([a, b]).await;
}

#[tokio::test]
async fn there_are_no_ends_before_the_handshake_and_the_same_after_an_ice_restart() {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    assert_eq!(a.connection.ends().await, None);
    negotiate(&mut a, &mut b, false).await;
    exchange_candidates(&mut a, &mut b).await;
    a.connected().await;
    b.connected().await;
    let before = a.connection.ends().await.unwrap();
    // The other one offers this time.
    negotiate(&mut b, &mut a, true).await;
    assert_eq!(a.connection.ends().await, Some(before));
    close([a, b]).await;
}

#[tokio::test]
async fn messages_of_the_app_do_not_come_as_frames_of_the_check() {
    let (mut a, mut b) = connect(config(true), config(false)).await;
    b.connection.send_verification(Bytes::from_static(b"frame")).unwrap();
    assert_eq!(&frame(&mut a).await[..], b"frame");
    // Its channel is open, and so the app's is, which came before.
    a.connection.send_data(Bytes::from_static(b"message")).unwrap();
    let message = b.wait("message", |event| match event {
        PeerEvent::Data(data) => Ok(data),
        other => Err(other),
    });
    assert_eq!(&message.await[..], b"message");
    let full = (0..1_000).find_map(|_| b.connection.send_verification(Bytes::from_static(b"frame")).err());
    assert_eq!(full, Some(DataError::QueueFull), "it is bounded");
    close([a, b]).await;
}
