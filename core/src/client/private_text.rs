//! The private text of a call: one conversation, over whichever peer connection the call has.

use super::ClientError;
use crate::call::PeerId;
use crate::signaling::message::CallId;
use crate::text::{Conversation, TextError, TextEvent, TextId};
use std::time::Instant;

/// See the module. There is none before a call is connected.
#[derive(Default)]
pub(super) struct PrivateText(Option<Current>);

struct Current {
    call: Option<CallId>,
    peer: PeerId,
    conversation: Conversation,
}

impl PrivateText {
    /// This connection of this call is up, for the first time or again. May be said any number of times.
    pub(super) fn connected(&mut self, call: Option<CallId>, peer: PeerId) {
        match &mut self.0 {
            Some(current) if current.call == call && current.peer == peer => {}
            Some(current) if current.call == call => {
                current.peer = peer;
                current.conversation.connected();
            }
            _ => {
                let mut conversation = Conversation::default();
                conversation.connected();
                self.0 = Some(Current { call, peer, conversation });
            }
        }
    }

    /// What came over a connection; of one that was replaced it is of no interest any more.
    pub(super) fn receive(&mut self, peer: PeerId, frame: &[u8]) {
        if let Some(current) = self.0.as_mut().filter(|current| current.peer == peer) {
            current.conversation.receive(Instant::now(), frame);
        }
    }

    /// # Errors
    /// [`ClientError::Text`].
    pub(super) fn send(&mut self, text: &str) -> Result<TextId, ClientError> {
        let id = TextId::random();
        self.conversation()?.send(Instant::now(), id, text)?;
        Ok(id)
    }

    /// # Errors
    /// [`ClientError::Text`].
    pub(super) fn set_typing(&mut self, on: bool) -> Result<(), ClientError> {
        self.conversation()?.set_typing(Instant::now(), on);
        Ok(())
    }

    fn conversation(&mut self) -> Result<&mut Conversation, TextError> {
        self.0.as_mut().map(|current| &mut current.conversation).ok_or(TextError::NoCall)
    }

    /// The next frame, and the connection that it is for.
    pub(super) fn poll_frame(&mut self) -> Option<(PeerId, String)> {
        let current = self.0.as_mut()?;
        current.conversation.poll_frame().map(|frame| (current.peer, frame))
    }

    pub(super) fn poll_event(&mut self) -> Option<TextEvent> {
        self.0.as_mut()?.conversation.poll_event()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.0.as_ref()?.conversation.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self) {
        if let Some(current) = &mut self.0 {
            current.conversation.handle_timeout(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(text: &mut PrivateText) -> Vec<(PeerId, String)> {
        std::iter::from_fn(|| text.poll_frame()).collect()
    }

    #[test]
    fn a_new_connection_of_the_same_call_goes_on_with_the_conversation_and_another_call_does_not() {
        let hello = br#"{"v":1,"type":"hello"}"#;
        let (call, first, second) = (Some(CallId::random()), PeerId(1), PeerId(2));
        let mut text = PrivateText::default();
        text.connected(call, first);
        text.receive(first, hello);
        let id = text.send("hi").unwrap();
        assert_eq!(drained(&mut text).len(), 2);
        text.connected(call, first);
        assert!(drained(&mut text).is_empty(), "it is up again, and nothing was lost");
        text.connected(call, second);
        text.receive(first, hello);
        assert_eq!(drained(&mut text).len(), 1, "what comes over the old connection is too late");
        text.receive(second, hello);
        let (peer, frame) = drained(&mut text).remove(0);
        assert!(peer == second && frame.contains(&id.to_string()), "{frame}");
        text.connected(Some(CallId::random()), second);
        text.receive(second, hello);
        assert_eq!(drained(&mut text).len(), 1, "that was of another call");
    }
}
