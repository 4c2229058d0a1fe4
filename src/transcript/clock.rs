//! Times, and what they count from. No clock is read here: times come from the evidence.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcDateTime, format_description::well_known::Rfc3339};

/// Microseconds: a moment on a [`Clock`], or a duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// One day.
    pub const DAY: Micros = Micros(86_400_000_000);

    /// Whole milliseconds, rounded down.
    pub fn millis(self) -> u64 {
        self.0 / 1_000
    }
}

/// Microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UnixMicros(pub i64);

impl UnixMicros {
    fn date_time(self) -> Option<UtcDateTime> {
        UtcDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).ok()
    }

    /// `2021-02-26`; empty outside the years that a calendar knows.
    pub fn date(self) -> String {
        self.date_time()
            .map_or_else(String::new, |t| format!("{:04}-{:02}-{:02}", t.year(), u8::from(t.month()), t.day()))
    }

    /// `2021-02-26 01:49:34`.
    pub fn date_and_time(self) -> String {
        self.date_time().map_or_else(String::new, |t| {
            format!("{} {:02}:{:02}:{:02}", self.date(), t.hour(), t.minute(), t.second())
        })
    }

    /// `2021-02-26T01:49:34.383039Z`.
    pub fn rfc3339(self) -> String {
        self.date_time().map_or_else(String::new, |t| {
            format!("{}T{:02}:{:02}:{:02}.{:06}Z", self.date(), t.hour(), t.minute(), t.second(), t.microsecond())
        })
    }

    /// Reads RFC 3339, with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        i64::try_from(nanos / 1_000).ok().map(Self)
    }

    /// Microseconds since midnight UTC.
    pub fn time_of_day(self) -> Micros {
        Micros(self.0.rem_euclid(Micros::DAY.0 as i64).unsigned_abs())
    }
}

/// What the times of a transcript count from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "zero", rename_all = "kebab-case")]
pub enum Clock {
    /// From this moment.
    Utc(UnixMicros),
    /// From a midnight whose date and time zone are unknown.
    TimeOfDay,
    /// From an arbitrary moment, usually the first entry.
    #[default]
    Relative,
}

impl Clock {
    /// A moment as people read it: `01:49:34.383`, or `+0.083 s` on a relative clock.
    pub fn show(self, at: Micros) -> String {
        let of_day = match self {
            Clock::Relative => return format!("+{}.{:03} s", at.0 / 1_000_000, at.0 / 1_000 % 1_000),
            Clock::TimeOfDay => Micros(at.0 % Micros::DAY.0),
            Clock::Utc(zero) => {
                UnixMicros(zero.0.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX))).time_of_day()
            }
        };
        TimeOfDay(of_day).to_string().chars().take(12).collect()
    }
}

/// Hours, minutes, seconds and microseconds, as `01:49:34.383039`. Hours go on behind 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub Micros);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.0 / 1_000_000, self.0.0 % 1_000_000);
        write!(f, "{:02}:{:02}:{:02}.{micros:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

impl TimeOfDay {
    /// Reads `hh:mm:ss` with up to six (further ones are dropped) decimals behind a point.
    pub fn parse(text: &str) -> Option<Self> {
        let (clock, decimals) = text.split_once('.').unwrap_or((text, ""));
        let mut parts = clock.split(':');
        let mut number = |most: u64| -> Option<u64> {
            let part = parts.next()?;
            let digits = !part.is_empty() && part.len() <= 5 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|n| digits && *n <= most)
        };
        let (hours, minutes, seconds) = (number(99_999)?, number(59)?, number(60)?);
        if parts.next().is_some() || !decimals.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let micros =
            decimals.bytes().chain(std::iter::repeat(b'0')).take(6).fold(0, |n, d| n * 10 + u64::from(d - b'0'));
        Some(Self(Micros(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)))
    }

    /// Reads `hh.mm.ss`, as the log of a z/OS job writes it.
    pub fn parse_dotted(text: &str) -> Option<Self> {
        let shape = |(n, b): (usize, u8)| if n == 2 || n == 5 { b == b'.' } else { b.is_ascii_digit() };
        (text.len() == 8 && text.bytes().enumerate().all(shape)).then(|| Self::parse(&text.replace('.', ":")))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_reads_back() {
        let t = TimeOfDay::parse("01:49:34.380195").unwrap();
        assert_eq!(t.to_string(), "01:49:34.380195");
        assert_eq!(Clock::TimeOfDay.show(t.0), "01:49:34.380");
        for bad in ["1", "01:49", "01:60:00", "01:49:34.x", "a:b:c", "::", "01:02:03:04"] {
            assert_eq!(TimeOfDay::parse(bad), None, "{bad}");
        }
        assert_eq!(TimeOfDay::parse_dotted("01.49.34"), TimeOfDay::parse("01:49:34"));
        for bad in ["1.49.34", "01.60.00", "01:49:34", "192.0.2.7", "01.49.3x"] {
            assert_eq!(TimeOfDay::parse_dotted(bad), None, "{bad}");
        }
    }

    #[test]
    fn unix_time_becomes_a_date() {
        let t = UnixMicros(0x6038_53AE * 1_000_000);
        assert_eq!(t.date_and_time(), "2021-02-26 01:49:34");
        assert_eq!(UnixMicros::parse_rfc3339(&t.rfc3339()), Some(t));
        assert_eq!(UnixMicros(i64::MAX).date(), "");
    }

    #[test]
    fn a_relative_clock_counts_seconds() {
        assert_eq!(Clock::Relative.show(Micros(83_267)), "+0.083 s");
    }
}
