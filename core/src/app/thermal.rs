//! What a hot device means for a call.

use crate::media::video::ThermalState;

/// Whether pictures are made smaller for it, so that a person is to be told.
pub(super) fn is_hot(state: ThermalState) -> bool {
    state >= ThermalState::Serious
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_warmth_is_not_worth_telling() {
        let states = [ThermalState::Nominal, ThermalState::Fair, ThermalState::Serious, ThermalState::Critical];
        assert_eq!(states.map(is_hot), [false, false, true, true]);
    }
}
