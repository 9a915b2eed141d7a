//! What a stranger may send instead of a check.

use super::{Check, CheckResult, Ends, MAX_FRAME, Role, Secret};
use crate::fuzz::Input;

/// Frames of any bytes, in either role, between which the person answers.
pub(crate) fn frames(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let role = if input.u8() & 1 == 0 { Role::Offerer } else { Role::Answerer };
    let ends = Ends { role, own: [1; 32], peer: [2; 32] };
    let secrets = vec![Secret([4; 32]); usize::from(input.u8() % 8)];
    let mut check = Check::new(ends, [3; 32], secrets);
    while !input.is_empty() {
        let length = usize::from(input.u8()) % (MAX_FRAME + 8);
        check.receive(input.bytes(length));
        if input.u8() == 0 {
            check.confirm(true);
        }
        while check.poll_frame().is_some_and(|frame| frame.len() <= MAX_FRAME) {}
        assert!(check.poll_frame().is_none(), "no frame is longer than the other side takes");
        if matches!(check.result(), Some(CheckResult::Failed(_))) {
            assert!(check.words().is_none() && check.secret().is_none() && !check.confirm(true));
        }
    }
    check.give_up();
    assert!(check.result().is_some());
}
