//! The client's own clock: many clients up to TLS 1.2 begin the random of their hello with the time of day.

use crate::decode::Event;
use crate::transcript::clock::UnixMicros;
use crate::transcript::{Clock, Micros};
use crate::wire::tls::hello::ClientHello;

/// Seconds that trace and hello may differ and still agree.
const TOLERANCE: i64 = 5;

/// Time zones are multiples of a quarter of an hour.
const ZONE_STEP: i64 = 900;

/// 2000-01-01 and 2050-01-01: outside of them the four bytes are no clock.
const PLAUSIBLE: core::ops::Range<i64> = 946_684_800..2_524_608_000;

/// A hello's clock that agrees with the times of the evidence, so that it is no chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloClock {
    /// What it says.
    pub utc: UnixMicros,
    /// Minutes that the evidence's times are ahead of UTC.
    pub zone: i64,
}

/// Compares the hello's first four random bytes with the time of its event.
pub(super) fn of(clock: Clock, event: &Event, hello: &ClientHello) -> Option<HelloClock> {
    let said = i64::from(hello.unix_time());
    let at = i64::try_from(event.at?.0 / 1_000_000).ok()?;
    // The challenge of SSL 2 holds no time.
    if !PLAUSIBLE.contains(&said) || hello.highest_version() > 0x0303 || hello.specs.is_some() {
        return None;
    }
    let utc = UnixMicros(said * 1_000_000);
    let zone = match clock {
        Clock::Relative => return None,
        Clock::Utc(zero) => (zero.0 / 1_000_000 + at - said).abs().le(&TOLERANCE).then_some(0)?,
        Clock::TimeOfDay => {
            let day = Micros::DAY.0 as i64 / 1_000_000;
            let ahead = (at - said + day / 2).rem_euclid(day) - day / 2;
            let zone = (ahead as f64 / ZONE_STEP as f64).round() as i64 * ZONE_STEP;
            (ahead - zone).abs().le(&TOLERANCE).then_some(zone / 60)?
        }
    };
    Some(HelloClock { utc, zone })
}

impl HelloClock {
    /// Whether the times of the evidence are UTC.
    pub fn is_utc(&self) -> bool {
        self.zone == 0
    }
}
