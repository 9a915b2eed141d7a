//! What a stranger may send instead of text.

use super::{Conversation, MAX_CHARS, MAX_FRAME, TextEvent, TextId};
use crate::fuzz::Input;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Frames of any bytes, a line each, between which time passes, this side writes, and connections change.
pub(crate) fn frames(bytes: &[u8]) {
    let mut conversation = Conversation::default();
    let mut now = Instant::now();
    conversation.connected();
    for (n, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let mut input = Input::new(line);
        match input.u8() {
            b'+' => now += Duration::from_millis(input.u16().into()),
            b'>' => drop(conversation.send(now, TextId(Uuid::from_u128(n as u128)), &String::from_utf8_lossy(line))),
            b'~' => conversation.set_typing(now, input.u8() & 1 == 0),
            b'!' => conversation.connected(),
            _ => conversation.receive(now, line),
        }
        if conversation.poll_timeout().is_some_and(|at| at <= now) {
            conversation.handle_timeout(now);
            assert!(conversation.poll_timeout().is_none_or(|at| at > now), "the clock is not asked again at once");
        }
        let mut count = 0;
        while let Some(frame) = conversation.poll_frame() {
            assert!(frame.len() <= MAX_FRAME);
            count += 1;
        }
        assert!(count <= 256, "{count} frames for one");
        while let Some(event) = conversation.poll_event() {
            if let TextEvent::Received { text, .. } = event {
                assert!((1..=MAX_CHARS).contains(&text.chars().count()) && !text.contains('\u{202E}'));
            }
        }
    }
}
