//! The logins behind the session: those that examine one thing each, and one that stands in for it where a server speaks
//! only what our usual client does not.

use std::collections::VecDeque;

use super::Session;
use crate::probe::talk::Errand;
use crate::transcript::{BY_OPENSSL, Micros, Why};

impl Session {
    /// Where our usual client is not understood, another one logs in, if this build has it.
    pub(super) fn log_in_instead(&mut self, now: Micros) {
        let client = self.plan.login.as_ref().and_then(|_| self.plan.tls.for_old_tls());
        let Some(client) = client else { return self.finish() };
        // Until the new login has its number, the session stands here: it has tried no way to a data connection.
        self.instead = Some((self.main, client));
        let why = Why::Question { changed: vec![BY_OPENSSL.to_owned()] };
        let Some(n) = self.send_on(Errand::Examine, self.mode, why, None, now) else { return self.finish() };
        if let Some((examined, _)) = &mut self.instead {
            *examined = n;
        }
        self.asking_login = Some(n);
        self.asking = Some(n);
    }

    /// The next login, or the end.
    pub(super) fn next_login(&mut self, now: Micros) {
        let before = self.asking_login.take().and_then(|n| self.talks.get(n));
        // Who was not let in again (a limit, a ban, a server that hangs) does not knock once more.
        if self.errands.is_some() && before.is_some_and(|t| !t.is_logged_in()) {
            return self.finish();
        }
        let left = before.or(self.examined()).map_or_else(Vec::new, |t| t.left_behind().to_vec());
        if self.errands.is_none() {
            self.errands = Some(self.errands_behind(&left));
        }
        let Some(errand) = self.errands.as_mut().and_then(VecDeque::pop_front) else { return self.finish() };
        let by = self.instead.as_ref().map(|_| BY_OPENSSL.to_owned());
        let why = Why::Question { changed: by.into_iter().chain(errand.changed()).collect() };
        let Some(n) = self.send_on(errand, self.mode, why, None, now) else { return self.finish() };
        let undone = self.examined().map(|t| t.undone().clone()).filter(|u| errand == Errand::Tls12 && !u.is_empty());
        if let (Some(talk), Some(undone)) = (self.talks.get_mut(n), undone) {
            talk.make_up_for(&undone, &self.plan);
        }
        let directory = self.plan.login.as_ref().and_then(|l| l.upload_to.clone());
        if let (Some(talk), Some(directory), false) = (self.talks.get_mut(n), directory, left.is_empty()) {
            talk.clean_up(&directory, &left);
        }
        self.asking_login = Some(n);
        self.asking = Some(n);
    }

    /// Which logins follow the session.
    fn errands_behind(&self, left: &[String]) -> VecDeque<Errand> {
        let mut out = VecDeque::new();
        let (Some(main), Some(login)) = (self.examined(), &self.plan.login) else { return out };
        // Who is not let in, or opens no data connection, shows nothing more by another login.
        if main.is_logged_in() && (main.ways.any() || !left.is_empty()) {
            out.push_back(Errand::Declined);
            if main.is_tls13() && main.failed_to_move {
                out.push_back(Errand::Tls12);
            }
            out.push_back(Errand::Unprotected);
            out.extend(login.ccc.then_some(Errand::Ccc));
        }
        out
    }
}
