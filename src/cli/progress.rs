//! Progress of a long command on standard error: a bar on a terminal, otherwise a line now and
//! then.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::output::print_note;
use crate::progress::{Lines, OnProgress, Progress};

/// Runs the work and shows its progress. A terminal is left clean.
pub(super) fn shown<T>(work: impl FnOnce(OnProgress) -> T) -> T {
    if !std::io::stderr().is_terminal() {
        let lines = Lines::default();
        return work(&|step| {
            if let Some(line) = lines.line(step, Instant::now()) {
                print_note(&line);
            }
        });
    }
    let bars = Mutex::new(None);
    let done = work(&|step| draw(&mut bars.lock().unwrap_or_else(PoisonError::into_inner), step));
    clear(bars.into_inner().unwrap_or_else(PoisonError::into_inner));
    done
}

/// The current step and its bar.
type Bar = Option<(&'static str, ProgressBar)>;

fn draw(bar: &mut Bar, step: Progress) {
    let started = bar.as_ref().is_some_and(|(what, _)| *what == step.what);
    if !started {
        clear(bar.take());
    }
    let (_, bar) = bar.get_or_insert_with(|| (step.what, new_bar(step)));
    bar.set_length(step.of);
    bar.set_position(step.done);
    if !started {
        bar.tick(); // Draws it at once, however long the first step takes.
    }
}

fn new_bar(step: Progress) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(step.of), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} [{bar:20}] {percent} %{left}")
        .expect("the template is constant");
    bar.set_style(style.progress_chars("=> ").with_key("left", write_left));
    bar.set_message(step.what);
    bar
}

/// The remaining time, once there is progress to estimate it from.
fn write_left(state: &ProgressState, text: &mut dyn Write) {
    if state.pos() > 0 {
        let _ = write!(text, ", {:#} left", HumanDuration(state.eta())); // Writing to the bar cannot fail.
    }
}

fn clear(bar: Bar) {
    if let Some((_, bar)) = bar {
        bar.finish_and_clear();
    }
}
