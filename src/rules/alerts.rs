//! Fatal alerts that travelled in clear: whoever sent one, it is named, whatever finding decides.

use super::prelude::*;
use crate::codes;

/// Alerts that are no fault at either level: close_notify, user_canceled.
const HARMLESS: [u8; 2] = [0, 90];

/// Alerts that are named beside a finding.
const MOST: usize = 2;

/// Adds to a failure the fatal alerts of its connection that it does not show yet.
pub(super) fn name(case: &Case<'_>, f: &mut Finding) {
    let shown = f.place.and_then(|n| case.timeline.events.get(n));
    let Some(conn) = shown.map(|e| e.conn).filter(|_| f.severity == Severity::Failure) else { return };
    let mut said: Vec<(Side, u8)> = Vec::new();
    for e in case.timeline.events.iter().filter(|e| e.conn == conn) {
        let (Kind::Alert { level: 2, description }, Some(span)) = (&e.kind, e.span) else { continue };
        let alert = (span.flow.from, *description);
        let is_shown = f.evidence.iter().any(|x| {
            (x.conn, x.layer, x.from) == (conn.0, span.flow.layer, span.flow.from)
                && x.start <= span.start
                && span.end <= x.end
        });
        let again = f.data.get("alert").and_then(serde_json::Value::as_u64) == Some(u64::from(*description))
            && f.data.get("from").and_then(|v| v.as_str()) == Some(Party::from(alert.0).name());
        if !is_shown && !again && !HARMLESS.contains(description) && !said.contains(&alert) && said.len() < MOST {
            said.push(alert);
        }
    }
    for (from, description) in said {
        let name = codes::alert(description).map_or("unknown", |a| a.name);
        f.why.push(format!("The {} sent fatal alert {description} {name}.", Party::from(from).name()));
    }
}
