//! Ctrl-C for who reads an input, and does not wait for the network.

use std::future::ready;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Calls `pressed` whenever somebody presses Ctrl-C, on a thread of its own, as soon as this has returned. `false` where that cannot
/// be had: Ctrl-C ends the program there.
pub fn on_ctrl_c(mut pressed: impl FnMut() + Send + 'static) -> bool {
    let (listening, is_listening) = sync_channel(1);
    let listen = async move {
        loop {
            let mut next = Box::pin(tokio::signal::ctrl_c());
            // From the first look at it on, the signal is caught.
            let early = tokio::select! {
                biased;
                came = &mut next => Some(came),
                () = ready(()) => None,
            };
            let _ = listening.try_send(());
            let came = match early {
                Some(came) => came,
                None => next.await,
            };
            if came.is_err() {
                return;
            }
            pressed();
        }
    };
    let run = move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(listen);
        }
    };
    thread::Builder::new().spawn(run).is_ok() && is_listening.recv().is_ok()
}
