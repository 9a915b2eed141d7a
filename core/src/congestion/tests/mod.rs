//! Whole calls in virtual time over simulated paths: estimator, pacer and repair in the loop with a model of the encoder, of sound
//! and of playout. Minutes of a call take milliseconds, and come out the same on every machine.
//!
//! `plans` has the scenarios with their marks, `shortfalls` those marks that do not hold yet.

mod call;
mod cross;
mod encoder;
mod endpoint;
mod ladder;
mod link;
mod measure;
mod network;
mod packet;
mod paid;
mod plans;
mod playout;
mod proof;
mod properties;
mod random;
mod rate_control;
mod receiver;
mod report;
mod shortfalls;
mod sound;
