//! The keys of a phone in a call (DTMF): for whoever answers by a menu.

use super::calls::Call;
use super::effect::ClientCommand;
use super::reducer::App;
use super::state::{CallPhase, KeypadView};
use crate::media::dtmf::DtmfTone;

/// So many keys are shown of those that were pressed.
const SHOWN: usize = 32;

/// What was pressed in a call, here and there.
#[derive(Debug, Default)]
pub(super) struct Keypad {
    open: bool,
    sent: String,
    received: String,
}

impl Keypad {
    pub(super) fn view(&self) -> KeypadView {
        KeypadView { open: self.open, sent: self.sent.clone(), received: self.received.clone() }
    }
}

/// The newest stay.
fn add(shown: &mut String, key: char) {
    if shown.len() >= SHOWN {
        // Keys are one byte each.
        shown.remove(0);
    }
    shown.push(key);
}

impl App {
    pub(super) fn show_keypad(&mut self, on: bool) {
        if let Some(call) = self.call.as_mut().filter(|call| call.uses_devices()) {
            call.keypad.open = on;
        }
    }

    /// While a call is connected; what is no key does nothing.
    pub(super) fn press_key(&mut self, key: char) {
        let connected = |call: &&mut Call| call.phase == CallPhase::Connected && call.uses_devices();
        let Some(call) = self.call.as_mut().filter(connected) else { return };
        let Some(tone) = DtmfTone::new(key) else { return };
        add(&mut call.keypad.sent, tone.key());
        self.in_call(|call| ClientCommand::SendDtmf { call, tone });
    }

    pub(super) fn heard_tone(&mut self, tone: DtmfTone) {
        if let Some(call) = &mut self.call {
            add(&mut call.keypad.received, tone.key());
        }
    }
}
