//! The app as a whole: told as stories, in a table of states and actions, and in any order of actions.

mod invariants;
mod properties;
mod stories;
mod table;
mod world;

use world::World;
