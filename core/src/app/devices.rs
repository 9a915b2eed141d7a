//! Camera, microphone and sound of a call, as the person wants them.

use super::banner::{Notice, Recovery, Topic};
use super::calls::{Call, Purpose};
use super::effect::{ClientCommand, Effect, SystemCallEffect};
use super::permissions::Permission;
use super::reducer::App;
use super::text::TextKey;

impl App {
    pub(super) fn set_camera(&mut self, on: bool) {
        if self.call.is_none() {
            return;
        }
        self.banners.clear(Topic::Camera);
        if !on {
            return self.camera.set(false);
        }
        if !self.has_camera && !self.demo {
            self.tell(Topic::Camera, Notice::new(TextKey::ErrorNoCamera, &[Recovery::Dismiss]), None);
        } else if self.permissions().camera.is_granted() {
            self.camera.set(true);
        } else {
            self.ask(vec![Permission::Camera], Purpose::Camera);
        }
    }

    pub(super) fn camera_again(&mut self) {
        if self.call.is_some() && self.permissions().camera.is_granted() {
            self.banners.clear(Topic::Camera);
            self.camera.again();
        }
    }

    pub(super) fn reopen_microphone(&mut self) {
        if self.call.as_ref().is_some_and(Call::uses_devices) && self.microphone && !self.hold.is_held() {
            self.command(ClientCommand::SetMicrophone(false));
            self.command(ClientCommand::SetMicrophone(true));
        }
    }

    /// The person puts the call on hold or takes it up again.
    pub(super) fn set_hold(&mut self, on: bool) {
        let Some(call) = self.call.as_ref().filter(|call| call.uses_devices()) else { return };
        if let Some(call) = call.system_id.filter(|_| self.hold.is_managed()) {
            return self.push(Effect::SystemCall(SystemCallEffect::RequestHold { call, held: on }));
        }
        if !on && self.hold.is_taken() {
            self.push(Effect::ReclaimAudio);
        }
        self.hold.set_by_person(on);
    }
}
