//! A peer that restarts ICE answers checks before it has the answer, as Firefox does.

use super::support::*;
use crate::signaling::message::SessionDescription;
use rtc::stun::attributes::{ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, MessageType, Setter, TransactionId};
use rtc::stun::xoraddr::XorMappedAddress;
use std::time::Duration;
use tokio::net::UdpSocket;

/// An agent of which only its socket is there.
struct Agent {
    socket: UdpSocket,
    password: String,
}

impl Agent {
    /// The next check, answered: who sent it, and whether it nominates.
    async fn next_check(&self) -> (std::net::SocketAddr, bool) {
        let mut buffer = [0; 2048];
        loop {
            let (size, from) = self.socket.recv_from(&mut buffer).await.unwrap();
            let mut check = Message::new();
            if check.unmarshal_binary(&buffer[..size]).is_err() || check.typ != BINDING_REQUEST {
                continue;
            }
            let mapped = XorMappedAddress { ip: from.ip(), port: from.port() };
            let answer = message(BINDING_SUCCESS, check.transaction_id, vec![Box::new(mapped)], &self.password);
            self.socket.send_to(&answer, from).await.unwrap();
            return (from, check.contains(ATTR_USE_CANDIDATE));
        }
    }

    async fn nominated(&self) {
        while !self.next_check().await.1 {}
    }
}

/// An attribute and its value.
struct Attribute(AttrType, Vec<u8>);

impl Setter for Attribute {
    fn add_to(&self, message: &mut Message) -> rtc::shared::error::Result<()> {
        message.add(self.0, &self.1);
        Ok(())
    }
}

fn message(typ: MessageType, transaction: TransactionId, more: Vec<Box<dyn Setter>>, password: &str) -> Vec<u8> {
    let crypto = rtc::crypto::default_provider().unwrap();
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto.crypto());
    let mut setters: Vec<Box<dyn Setter + '_>> = vec![Box::new(typ), Box::new(transaction)];
    for attribute in more {
        setters.push(attribute);
    }
    setters.push(Box::new(integrity));
    setters.push(Box::new(FINGERPRINT));
    let mut message = Message::new();
    message.build(&setters).unwrap();
    message.raw.clone()
}

/// The value of the first line that begins so.
fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

#[tokio::test]
async fn a_pair_is_nominated_once_who_restarts_ice_has_the_answer() {
    let (us, them) = connect(config(true), config(false)).await;
    let offer = them.connection.offer(true).await.unwrap().sdp;
    let agent = Agent {
        socket: UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        password: value(&offer, "a=ice-pwd:").to_owned(),
    };
    let port = agent.socket.local_addr().unwrap().port();
    let candidate = format!("a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\n");
    let its_user = value(&offer, "a=ice-ufrag:").to_owned();
    let offer = without_candidates(&offer).replacen("a=mid", &format!("{candidate}a=mid"), 1);
    let answer = us.connection.answer(SessionDescription::offer(offer), false).await.unwrap().sdp;

    let patience = Duration::from_secs;
    let (from, nominated) = tokio::time::timeout(patience(5), agent.next_check()).await.expect("no check");
    assert!(!nominated, "before it is known that there is a way");
    let early = tokio::time::timeout(patience(1), agent.nominated()).await;
    assert!(early.is_err(), "a nomination that it does not understand yet");

    let name = format!("{}:{its_user}", value(&answer, "a=ice-ufrag:")).into_bytes();
    let attributes: Vec<Box<dyn Setter>> =
        vec![Box::new(Attribute(ATTR_USERNAME, name)), Box::new(Attribute(ATTR_PRIORITY, vec![0x6e, 0, 1, 0xff]))];
    let check = message(BINDING_REQUEST, TransactionId::new(), attributes, value(&answer, "a=ice-pwd:"));
    agent.socket.send_to(&check, from).await.unwrap();
    tokio::time::timeout(patience(5), agent.nominated())
        .await
        .expect("it has the answer now, and no pair was nominated");
    close([us, them]).await;
}
