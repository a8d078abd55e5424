use super::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};

fn pool(threads: usize) -> Pool {
    Pool::new(NonZeroUsize::new(threads).unwrap()).unwrap()
}

const NEVER: &dyn Fn() -> bool = &|| false;

/// A piece that is done at once.
struct Short<F>(Option<F>);

impl<T: Send + 'static, F: FnOnce() -> T + Send + 'static> Piece for Short<F> {
    type Output = T;

    fn go_on(&mut self) -> Option<T> {
        self.0.take().map(|work| work())
    }
}

/// A piece that is never done.
struct Endless;

impl Piece for Endless {
    type Output = ();

    fn go_on(&mut self) -> Option<()> {
        None
    }
}

/// Pieces that call `work` with their number.
fn short<T: Send + 'static>(
    work: impl Fn(usize) -> T + Send + Sync + 'static,
) -> impl Fn(usize) -> Short<Box<dyn FnOnce() -> T + Send>> + Send + Sync {
    let work = Arc::new(work);
    move |index| {
        let work = Arc::clone(&work);
        Short(Some(Box::new(move || work(index))))
    }
}

/// A door that pieces wait at.
#[derive(Default)]
struct Door {
    open: Mutex<bool>,
    moved: Condvar,
}

impl Door {
    fn pass(&self) {
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.moved.wait(open).unwrap();
        }
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.moved.notify_all();
    }
}

#[test]
fn results_come_in_order() {
    let pool = pool(4);
    let mut seen = Vec::new();
    let piece = |index: usize| {
        // Even pieces take longer than odd ones.
        let turns = if index.is_multiple_of(2) { 20_000 } else { 10 };
        (0..turns).fold(index, |sum, turn| std::hint::black_box(sum ^ turn));
        index
    };
    pool.run(200, NEVER, short(piece), |index| {
        seen.push(index);
        Ok(())
    })
    .unwrap();
    assert!(seen.into_iter().eq(0..200));
}

#[test]
fn a_slow_consumer_keeps_the_window_bounded() {
    let pool = pool(2);
    let window = 2 * WINDOW_PER_THREAD;
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let mut consumed = 0;
    pool.run(
        100,
        NEVER,
        short(move |_| counter.fetch_add(1, SeqCst)),
        |_| {
            std::thread::yield_now();
            assert!(made.load(SeqCst) <= consumed + window);
            consumed += 1;
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(consumed, 100);
}

#[test]
fn a_job_whose_consumer_waits_does_not_hold_up_another() {
    let pool = pool(2);
    let (door, other_done) = (Door::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pool.run(50, NEVER, short(|_| ()), |()| {
                door.pass();
                Ok(())
            })
            .unwrap();
            assert!(other_done.load(SeqCst));
        });
        pool.run(50, NEVER, short(|_| ()), |()| Ok(())).unwrap();
        other_done.store(true, SeqCst);
        door.open();
    });
}

#[test]
fn endless_pieces_do_not_hold_up_another_job() {
    let pool = pool(2);
    let (first_running, second_done) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let stop = || {
                first_running.store(true, SeqCst);
                second_done.load(SeqCst)
            };
            let outcome = pool.run(usize::MAX, &stop, |_| Endless, |()| Ok(()));
            assert!(matches!(outcome, Err(JobError::Stopped)));
        });
        while !first_running.load(SeqCst) {
            std::thread::yield_now();
        }
        pool.run(20, NEVER, short(|_| ()), |()| Ok(())).unwrap();
        second_done.store(true, SeqCst);
    });
}

#[test]
fn a_panic_ends_its_job_and_not_the_pool() {
    let pool = pool(2);
    let outcome = pool.run(
        10,
        NEVER,
        short(|index| assert_ne!(index, 3, "a piece that always fails")),
        |()| Ok(()),
    );
    match outcome {
        Err(JobError::Panicked(message)) => assert!(message.contains("always fails"), "{message}"),
        other => panic!("{other:?}"),
    }
    pool.run(10, NEVER, short(|_| ()), |()| Ok(())).unwrap();
}

#[test]
fn a_job_stops_while_it_waits_for_threads_that_others_keep_busy() {
    let pool = pool(1);
    let (door, started) = (Arc::new(Door::default()), Arc::new(Door::default()));
    std::thread::scope(|scope| {
        let (inside, entered) = (Arc::clone(&door), Arc::clone(&started));
        let pool = &pool;
        scope.spawn(move || {
            let piece = move |_| {
                entered.open();
                inside.pass();
            };
            pool.run(1, NEVER, short(piece), |()| Ok(())).unwrap();
        });
        started.pass();
        let polls = AtomicUsize::new(0);
        let stop = || polls.fetch_add(1, SeqCst) >= 2;
        let outcome = pool.run(1, &stop, short(|_| ()), |()| Ok(()));
        assert!(matches!(outcome, Err(JobError::Stopped)));
        door.open();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn pool_threads_give_way_and_the_caller_does_not() {
    let before = rustix::process::getpriority_process(None).unwrap();
    let pool = pool(1);
    let mut niceness = 0;
    pool.run(
        1,
        NEVER,
        short(|_| rustix::process::getpriority_process(None).unwrap()),
        |seen| {
            niceness = seen;
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(niceness, NICENESS.max(before));
    assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
}
