//! Links of the crate's packet chain that are our own. Each lies between the wire and the application at a number: the
//! lower, the nearer to the wire.

pub(super) mod counters;
pub(super) mod fec;
pub(super) mod keyframe;
pub(super) mod nack;
pub(super) mod rtx;
pub(super) mod transmit;
pub(super) mod unsignaled;

/// The queues and the pass-through that every link needs, for a link that handles packets in `read` and `write`. What these take in
/// they give back, or an `Option` of it. A link that is `timed` also has `timeout` and `next_timeout`.
macro_rules! chain_link {
    ($link:ty) => {
        super::chain_link!($link, timed: [
            fn handle_timeout(&mut self, _: std::time::Instant) -> Result<(), Self::Error> {
                Ok(())
            }

            fn poll_timeout(&mut self) -> Option<std::time::Instant> {
                None
            }
        ]);
    };
    ($link:ty, timed) => {
        super::chain_link!($link, timed: [
            fn handle_timeout(&mut self, now: std::time::Instant) -> Result<(), Self::Error> {
                self.timeout(now);
                Ok(())
            }

            fn poll_timeout(&mut self) -> Option<std::time::Instant> {
                self.next_timeout()
            }
        ]);
    };
    ($link:ty, timed: [$($timing:tt)*]) => {
        impl rtc::sansio::Protocol<rtc::interceptor::TaggedPacket, rtc::interceptor::TaggedPacket, ()> for $link {
            type Rout = rtc::interceptor::TaggedPacket;
            type Wout = rtc::interceptor::TaggedPacket;
            type Eout = ();
            type Error = rtc::shared::error::Error;
            type Time = std::time::Instant;

            fn handle_read(&mut self, packet: rtc::interceptor::TaggedPacket) -> Result<(), Self::Error> {
                let packet: Option<rtc::interceptor::TaggedPacket> = self.read(packet).into();
                self.reads.extend(packet);
                Ok(())
            }

            fn poll_read(&mut self) -> Option<Self::Rout> {
                self.reads.pop_front()
            }

            fn handle_write(&mut self, packet: rtc::interceptor::TaggedPacket) -> Result<(), Self::Error> {
                let packet: Option<rtc::interceptor::TaggedPacket> = self.write(packet).into();
                self.writes.extend(packet);
                Ok(())
            }

            fn poll_write(&mut self) -> Option<Self::Wout> {
                self.writes.pop_front()
            }

            $($timing)*
        }
    };
}
pub(super) use chain_link;

/// Packets on their way through one link.
pub(super) type Queue = std::collections::VecDeque<rtc::interceptor::TaggedPacket>;
