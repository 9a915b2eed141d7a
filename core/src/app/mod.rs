//! The app without its screens and without its system: what the person does, what the system and the client tell goes in as
//! [`Action`]s; what is to be seen ([`AppState`]) and what is to be done ([`Effect`]s) comes out.
//!
//! Sans-IO: there is no clock, thread or device in here, and time comes in as an argument. The same actions give the same states and
//! effects on every platform, so that a report of a bug is a list of actions that a test can replay. Android and iOS hold devices, the
//! system's calls, dialogs, notifications and drawing: they send actions, draw the state, carry out effects, and decide nothing.
//!
//! ```text
//!  person ──────► ┌───────────────────────────────────────────┐ ──► AppState, chat, history, statistics
//!  system ──────► │ App::handle   user.rs · system.rs         │ ──► Effect ──► system
//!  client ──────► │               client.rs · calls.rs        │        └─────► client (ClientCommand)
//!  time ────────► └───────────────────────────────────────────┘ ──► next_wake
//! ```
//!
//! Each rule has a file: what is told (`banner`), `permissions`, `hold`, the wish for the `camera`, where sound goes
//! (`audio_route`), changes of the `network`, `thermal` state, names (`name`), `history`, `chat`, private text (`private_text`), keys of a phone (`keypad`), the check of the other end (`verification`, `remembered`), the matching of system
//! calls (`system_calls`) and pushes (`push`), `statistics` as text. What merely follows from the state, such as whether it rings, is computed
//! after each action and compared with what was done last (`levels`): so nothing rings, films or listens that has no reason to any more.

mod action;
mod audio_route;
mod banner;
mod blocked;
mod calls;
mod camera;
mod chat;
mod client;
mod client_news;
mod devices;
mod effect;
mod failure;
mod history;
mod hold;
mod keypad;
mod levels;
mod name;
mod network;
mod permissions;
mod private_text;
mod push;
mod quality;
mod reducer;
mod remembered;
mod state;
mod statistics;
mod system;
mod system_calls;
#[cfg(test)]
mod tests;
mod text;
mod thermal;
mod user;
mod verification;
mod view;

pub use action::{Action, PhotoOutcome, RingerMode, SavedSignIn, SystemAction, SystemCallNews, Token, UserAction};
pub use audio_route::{AudioRoute, AudioRouteKind};
pub use banner::{Banner, Recovery, Topic};
pub use camera::{CameraTrouble, Visibility};
pub use chat::{CHAT_LIMIT, ChatContent, ChatLine};
pub use client_news::{ClientNews, CommandKind, ServerPush};
pub use effect::{
    AudioUse, CallService, ClientCommand, Effect, Field, SettingsPage, SystemCallEffect, SystemEndReason,
};
pub use failure::Failure;
pub use history::{HISTORY_LIMIT, HistoryEntry, HistoryKind};
pub use hold::AudioInterruption;
pub use network::Network;
pub use permissions::{Permission, PermissionStatus, Permissions};
pub use private_text::{PrivateLine, TextDelivery};
pub use push::read_push;
pub use reducer::{App, AppConfig, Now};
pub use state::{
    AppState, AudioRouteView, CallPhase, CallView, KeypadView, OutagePart, PeopleView, PersonView, PrivateTextView,
    Screen, SignInView, Tab, Trust, VerificationView,
};
pub use statistics::StatisticsLine;
pub use text::{Message, TextKey};
