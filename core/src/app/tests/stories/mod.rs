//! What people live through, one by one.

mod calls;
mod devices;
mod keypad;
mod private_text;
mod pushes;
mod session;
mod system_calls;
mod verification;

use super::World;
use super::world::{ME, PEER};
use crate::app::{Network, SavedSignIn, SystemAction, SystemCallNews, UserAction, Visibility};

pub(super) const HIDDEN: Visibility = Visibility::Background { camera_allowed: false };

pub(super) fn call(world: &mut World, video: bool) {
    world.user(UserAction::Call { to: PEER.to_owned(), video });
}

pub(super) fn network(id: &str, metered: bool) -> SystemAction {
    SystemAction::NetworkChanged(Some(Network { id: id.to_owned(), addresses: Vec::new(), metered }))
}

pub(super) fn system_call(world: &mut World, news: SystemCallNews) {
    let call = world.app.state().call.as_ref().and_then(|call| call.id).unwrap();
    world.system(SystemAction::Call { call, news });
}

pub(super) fn saved() -> SavedSignIn {
    SavedSignIn { server: "wss://call.example.org".to_owned(), name: ME.to_owned(), token: None, stay: true }
}
