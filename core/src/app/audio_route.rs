//! Where a call's sound goes: which of the routes is taken, and when the person's choice ends.

/// Kinds of route that people tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioRouteKind {
    /// The phone's own earpiece, held at the ear.
    Earpiece,
    /// The phone's loudspeaker.
    Speaker,
    /// Headphones with a wire, USB included.
    Wired,
    /// A headset by Bluetooth.
    Bluetooth,
    /// A car.
    Car,
    /// Anything else.
    Other,
}

impl AudioRouteKind {
    /// Whoever plugs one in or switches it on wants to use it. The first of these is taken first.
    const HEADSETS: [Self; 3] = [Self::Bluetooth, Self::Car, Self::Wired];

    fn is_headset(self) -> bool {
        Self::HEADSETS.contains(&self)
    }
}

/// A route for sound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AudioRoute {
    /// The system's name for it while it is there.
    pub id: String,
    /// What it is.
    pub kind: AudioRouteKind,
    /// The device's own name where it has one, such as that of a Bluetooth headset.
    pub name: Option<String>,
}

/// Decides which of the routes is taken: a headset that is plugged in or switched on takes over; what the person chose stays until it
/// goes or a new headset comes; else the loudspeaker for video and the earpiece for sound alone.
#[derive(Debug, Default)]
pub(super) struct AudioRoutes {
    routes: Vec<AudioRoute>,
    /// In use, as the system says.
    current: Option<String>,
    /// What the person chose, here or in the system's own menu.
    chosen: Option<String>,
    /// Asked for and not yet heard of: asked once.
    asked: Option<String>,
    video: bool,
}

impl AudioRoutes {
    pub(super) fn routes(&self) -> &[AudioRoute] {
        &self.routes
    }

    pub(super) fn current(&self) -> Option<&AudioRoute> {
        let current = self.current.as_ref()?;
        self.routes.iter().find(|route| route.id == *current)
    }

    /// The system says which there are and which is in use.
    pub(super) fn changed(&mut self, routes: Vec<AudioRoute>, current: Option<String>) {
        let was_there = |route: &AudioRoute| self.routes.iter().any(|known| known.id == route.id);
        let same = routes.len() == self.routes.len() && routes.iter().all(was_there);
        if same {
            let moved = current != self.current && current != self.asked;
            // The system, or somebody in a car, moved the sound, and is let be.
            if moved && self.current.is_some() && current.is_some() {
                self.chosen.clone_from(&current);
            }
        } else {
            let plugged = routes.iter().find(|route| route.kind.is_headset() && !was_there(route));
            // At the start of a call nothing was plugged in: what is there was there.
            if let Some(plugged) = plugged.filter(|_| !self.routes.is_empty()) {
                self.chosen = Some(plugged.id.clone());
            }
            if !routes.iter().any(|route| Some(&route.id) == self.chosen.as_ref()) {
                self.chosen = None;
            }
        }
        self.asked = self.asked.take().filter(|asked| current.as_ref() != Some(asked) && same);
        (self.routes, self.current) = (routes, current);
    }

    /// The person chose one of them.
    pub(super) fn choose(&mut self, id: &str) {
        if self.routes.iter().any(|route| route.id == id) {
            self.chosen = Some(id.to_owned());
            self.asked = None;
        }
    }

    /// Whether pictures are shown.
    pub(super) fn set_video(&mut self, shown: bool) {
        self.video = shown;
    }

    /// What the last call chose is not the next one's.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// What to ask the system for now, if it is another one than it has; each once.
    pub(super) fn take_selection(&mut self) -> Option<String> {
        let best = self.best()?.to_owned();
        if self.current.as_ref() == Some(&best) || self.asked.as_ref() == Some(&best) {
            return None;
        }
        self.asked = Some(best.clone());
        Some(best)
    }

    fn best(&self) -> Option<&str> {
        let first = |kind| self.routes.iter().find(|route| route.kind == kind);
        let chosen = self.routes.iter().find(|route| Some(&route.id) == self.chosen.as_ref());
        let own = if self.video {
            [AudioRouteKind::Speaker, AudioRouteKind::Earpiece]
        } else {
            [AudioRouteKind::Earpiece, AudioRouteKind::Speaker]
        };
        let order = AudioRouteKind::HEADSETS.into_iter().chain(own);
        chosen.or_else(|| order.into_iter().find_map(first)).or(self.routes.first()).map(|route| route.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AudioRouteKind::{Bluetooth, Earpiece, Speaker, Wired};

    fn routes(kinds: &[AudioRouteKind]) -> Vec<AudioRoute> {
        kinds.iter().map(|kind| AudioRoute { id: format!("{kind:?}"), kind: *kind, name: None }).collect()
    }

    /// A video call on a phone with these, of which the first is in use.
    fn phone(kinds: &[AudioRouteKind]) -> AudioRoutes {
        let mut policy = AudioRoutes { video: true, ..AudioRoutes::default() };
        tell(&mut policy, kinds, kinds[0]);
        policy
    }

    fn tell(policy: &mut AudioRoutes, kinds: &[AudioRouteKind], current: AudioRouteKind) {
        policy.changed(routes(kinds), Some(format!("{current:?}")));
    }

    #[test]
    fn a_phone_is_held_at_arms_length_for_video_and_at_the_ear_for_sound_alone() {
        let mut policy = phone(&[Earpiece, Speaker]);
        assert_eq!(policy.take_selection().as_deref(), Some("Speaker"));
        assert_eq!(policy.take_selection(), None, "asked once");
        tell(&mut policy, &[Earpiece, Speaker], Speaker);
        policy.set_video(false);
        assert_eq!(policy.take_selection().as_deref(), Some("Earpiece"));
    }

    #[test]
    fn a_headset_that_is_there_is_used_and_one_that_comes_takes_over() {
        let mut policy = phone(&[Earpiece, Speaker, Wired]);
        assert_eq!(policy.take_selection().as_deref(), Some("Wired"));
        policy.choose("Speaker");
        assert_eq!(policy.take_selection().as_deref(), Some("Speaker"));
        tell(&mut policy, &[Earpiece, Speaker, Wired, Bluetooth], Speaker);
        assert_eq!(policy.take_selection().as_deref(), Some("Bluetooth"));
        tell(&mut policy, &[Earpiece, Speaker, Wired], Wired);
        assert_eq!(policy.take_selection(), None, "the wire is next, and the system has taken it");
    }

    #[test]
    fn what_the_person_chose_stays_until_it_goes() {
        let mut policy = phone(&[Speaker, Earpiece]);
        policy.choose("Earpiece");
        assert_eq!(policy.take_selection().as_deref(), Some("Earpiece"));
        tell(&mut policy, &[Speaker, Earpiece], Earpiece);
        policy.set_video(true);
        assert_eq!(policy.take_selection(), None);
        policy.choose("gone");
        assert_eq!(policy.take_selection(), None);
        tell(&mut policy, &[Speaker], Speaker);
        tell(&mut policy, &[Speaker, Earpiece], Speaker);
        assert_eq!(policy.take_selection(), None, "the choice went with its device");
    }

    #[test]
    fn sound_that_the_system_moved_is_let_be() {
        let mut policy = phone(&[Speaker, Earpiece]);
        tell(&mut policy, &[Speaker, Earpiece], Earpiece);
        assert_eq!(policy.take_selection(), None);
        assert_eq!(policy.current().map(|route| route.kind), Some(Earpiece));
    }

    #[test]
    fn the_next_call_begins_without_the_choices_of_the_last() {
        let mut policy = phone(&[Speaker, Earpiece]);
        policy.choose("Earpiece");
        policy.reset();
        policy.set_video(true);
        tell(&mut policy, &[Speaker, Earpiece], Earpiece);
        assert_eq!(policy.take_selection().as_deref(), Some("Speaker"));
    }
}
