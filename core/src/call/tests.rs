//! Tests of the call engine: stories between simulated phones under virtual time, the table of the module doc cell by cell, and
//! phones against a hostile network.

mod glare;
mod hold;
mod hostile_network;
mod old_peers;
mod pushed;
mod repair;
mod screen;
mod second;
mod sim;
mod sim_peer;
mod stories;
mod strangers;
mod switches;
mod table;
