//! What is asked of the person before a call, and what follows from the answer.

/// What the system guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Cameras.
    Camera,
    /// The microphone.
    Microphone,
    /// Telling of calls while the app is not in front.
    Notifications,
    /// Showing a call over a locked screen (Android's full-screen intent).
    FullScreenIntent,
}

/// How things stand with one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PermissionStatus {
    /// The system asks the person if the app does: not asked yet, or (on Android) refused once, which
    /// `shouldShowRequestPermissionRationale` tells.
    #[default]
    Undecided,
    /// Allowed, or nothing that this system guards.
    Granted,
    /// Refused: mostly only the system's settings can change that. What was allowed for one time only looks the same on Android, so
    /// that a call asks for it all the same: what was refused for good, the system refuses at once, without a question.
    Denied,
}

impl PermissionStatus {
    pub(super) fn is_granted(self) -> bool {
        self == Self::Granted
    }
}

/// How things stand with all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions {
    /// See [`Permission::Camera`].
    pub camera: PermissionStatus,
    /// See [`Permission::Microphone`].
    pub microphone: PermissionStatus,
    /// See [`Permission::Notifications`].
    pub notifications: PermissionStatus,
    /// See [`Permission::FullScreenIntent`]; it is never asked for by a dialog.
    pub full_screen_intent: PermissionStatus,
}

/// Whether the camera is used in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CameraAdmission {
    Allowed,
    NotWanted,
    NotAllowed { in_settings: bool },
    Absent,
}

/// Whether a call can be held, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Go(CameraAdmission),
    /// Without a microphone there is no call.
    Stop {
        in_settings: bool,
    },
}

impl Permissions {
    /// Nothing is guarded: a demonstration with devices that are not real.
    pub(super) const ALL: Self = {
        let granted = PermissionStatus::Granted;
        Self { camera: granted, microphone: granted, notifications: granted, full_screen_intent: granted }
    };

    /// What to ask for on the way to a call, once a call at most: what the call is about if it is missing, and along with it what only
    /// helps, unless the person said no to that before.
    pub(super) fn missing_for_call(&self, wants_camera: bool) -> Vec<Permission> {
        let camera = wants_camera && !self.camera.is_granted();
        let microphone = !self.microphone.is_granted();
        if !camera && !microphone {
            return Vec::new();
        }
        let undecided = |status| status == PermissionStatus::Undecided;
        [
            (Permission::Microphone, microphone),
            (Permission::Camera, camera),
            (Permission::Notifications, undecided(self.notifications)),
        ]
        .into_iter()
        .filter_map(|(permission, ask)| ask.then_some(permission))
        .collect()
    }

    /// What to ask for once one can be called, so that an answer on a locked screen needs no question: never again after a no.
    pub(super) fn missing_to_be_called(&self) -> Vec<Permission> {
        let undecided = |(permission, status)| (status == PermissionStatus::Undecided).then_some(permission);
        [(Permission::Microphone, self.microphone), (Permission::Notifications, self.notifications)]
            .into_iter()
            .filter_map(undecided)
            .collect()
    }

    /// What follows once nothing more is asked: a camera that is refused means a call without it, a microphone that is refused none.
    pub(super) fn admission(&self, wants_camera: bool, has_camera: bool) -> Admission {
        let in_settings = |status| status == PermissionStatus::Denied;
        if !self.microphone.is_granted() {
            return Admission::Stop { in_settings: in_settings(self.microphone) };
        }
        Admission::Go(match (wants_camera, has_camera, self.camera.is_granted()) {
            (false, ..) => CameraAdmission::NotWanted,
            (true, false, _) => CameraAdmission::Absent,
            (true, true, false) => CameraAdmission::NotAllowed { in_settings: in_settings(self.camera) },
            (true, true, true) => CameraAdmission::Allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PermissionStatus::{Denied, Granted, Undecided};

    fn permissions(camera: PermissionStatus, microphone: PermissionStatus) -> Permissions {
        Permissions { camera, microphone, ..Permissions::default() }
    }

    #[test]
    fn a_call_asks_for_what_it_is_about_and_along_with_it_for_what_helps() {
        let all = [Permission::Microphone, Permission::Camera, Permission::Notifications];
        assert_eq!(permissions(Undecided, Undecided).missing_for_call(true), all);
        let silent = Permissions { notifications: Denied, ..permissions(Undecided, Undecided) };
        assert_eq!(silent.missing_for_call(true), all[..2], "a no to what only helps is kept");
        assert_eq!(
            permissions(Denied, Denied).missing_for_call(true),
            all,
            "allowed for one time only looks like this"
        );
        assert_eq!(permissions(Granted, Granted).missing_for_call(true), [], "nothing is worth a question of its own");
        assert_eq!(permissions(Denied, Granted).missing_for_call(false), [], "nobody wants to be seen");
    }

    #[test]
    fn without_a_microphone_there_is_no_call_and_without_a_camera_one_with_sound_alone() {
        assert_eq!(permissions(Granted, Denied).admission(true, true), Admission::Stop { in_settings: true });
        assert_eq!(permissions(Granted, Undecided).admission(true, true), Admission::Stop { in_settings: false });
        let camera = |camera, wants, has| permissions(camera, Granted).admission(wants, has);
        assert_eq!(camera(Granted, true, true), Admission::Go(CameraAdmission::Allowed));
        assert_eq!(camera(Denied, true, true), Admission::Go(CameraAdmission::NotAllowed { in_settings: true }));
        assert_eq!(camera(Undecided, true, true), Admission::Go(CameraAdmission::NotAllowed { in_settings: false }));
        assert_eq!(camera(Denied, true, false), Admission::Go(CameraAdmission::Absent));
        assert_eq!(camera(Denied, false, true), Admission::Go(CameraAdmission::NotWanted));
    }

    #[test]
    fn who_can_be_called_is_asked_once_for_what_a_locked_screen_cannot_ask() {
        let fresh = Permissions::default();
        assert_eq!(fresh.missing_to_be_called(), [Permission::Microphone, Permission::Notifications]);
        let refused = Permissions { microphone: Denied, notifications: Denied, ..fresh };
        assert_eq!(refused.missing_to_be_called(), []);
        assert_eq!(Permissions::ALL.missing_to_be_called(), []);
    }
}
