//! What can be true of a report. A worker may be mistaken, or not be one: numbers that can't be are put right, and texts
//! are cut to what people read. What is stored, the settlement looks at.

use faafo_model::{Presence, TaskReport, TaskResult};

/// Letters of a reason that are kept.
const REASON: usize = 2_000;
/// Letters of a name that are kept.
const NAME: usize = 255;
/// Fractals that a worker is said to be at, at most.
const CURRENT: usize = 1_000;
/// No task takes longer, in seconds: some thirty years.
const LONGEST: f64 = 1e9;

/// The report as far as it can be true.
pub(crate) fn report(report: &TaskReport) -> TaskReport {
    let mut sound = report.clone();
    cut(&mut sound.worker, NAME);
    match &mut sound.result {
        TaskResult::Rendering { progress } => *progress = within(*progress, 1.0),
        TaskResult::Done { duration, .. } | TaskResult::Band { duration, .. } => {
            *duration = within(*duration, LONGEST);
        }
        TaskResult::Planned { bands, .. } => {
            for band in bands {
                band.work = within(band.work.into(), LONGEST) as f32;
            }
        }
        TaskResult::Failed { reason } | TaskResult::Returned { reason } => cut(reason, REASON),
        TaskResult::Unreadable => {}
    }
    sound
}

/// What a worker says of itself, as far as it can be true.
pub(crate) fn presence(presence: &Presence) -> Presence {
    let mut sound = presence.clone();
    for text in [&mut sound.name, &mut sound.version, &mut sound.host] {
        cut(text, NAME);
    }
    sound.current.truncate(CURRENT);
    sound
}

/// The number if it lies between 0 and the most, or else the nearer of these; 0 for what is no number.
fn within(number: f64, most: f64) -> f64 {
    if number.is_nan() {
        0.0
    } else {
        number.clamp(0.0, most)
    }
}

fn cut(text: &mut String, letters: usize) {
    if let Some((end, _)) = text.char_indices().nth(letters) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faafo_model::{BlobKey, BlobRef, Uuid};

    fn said(result: TaskResult) -> TaskResult {
        let said = TaskReport {
            id: Uuid::nil(),
            attempt: 1,
            worker: "w".repeat(300),
            result,
        };
        let sound = report(&said);
        assert_eq!(sound.worker.chars().count(), NAME + 1);
        sound.result
    }

    #[test]
    fn numbers_that_can_not_be_are_put_right() {
        for (number, progress, seconds) in [
            (-5.0, 0.0, 0.0),
            (0.25, 0.25, 0.25),
            (-1e300, 0.0, 0.0),
            (1e300, 1.0, LONGEST),
            (f64::NAN, 0.0, 0.0),
            (f64::INFINITY, 1.0, LONGEST),
        ] {
            let rendering = said(TaskResult::Rendering { progress: number });
            assert_eq!(rendering, TaskResult::Rendering { progress });
            let (key, size) = (BlobKey([0; 32]), 1);
            let fragment = BlobRef { key, size };
            let band = |duration| TaskResult::Band { fragment, duration };
            assert_eq!(said(band(number)), band(seconds));
        }
    }

    #[test]
    fn texts_are_cut_between_letters() {
        let reason = "ü".repeat(3_000_000);
        let TaskResult::Failed { reason } = said(TaskResult::Failed { reason }) else {
            panic!("another result");
        };
        assert_eq!(reason, "ü".repeat(REASON) + "…");
        let reason = "ü".repeat(REASON);
        let returned = TaskResult::Returned { reason };
        assert_eq!(said(returned.clone()), returned);
    }

    #[test]
    fn a_worker_s_words_about_itself_are_as_short_as_names() {
        let long = "x".repeat(1_000);
        let sound = presence(&Presence {
            name: long.clone(),
            version: long.clone(),
            cores: 1,
            host: long,
            current: vec![Uuid::nil(); 100_000],
            stopped: false,
        });
        assert_eq!(sound.host.chars().count(), NAME + 1);
        assert_eq!(sound.current.len(), CURRENT);
    }
}
