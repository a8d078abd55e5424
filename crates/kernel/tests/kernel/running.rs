//! Renders under way: stopping them, watching them, and writers that are slow or fail.

use crate::{dragon, endless, png_of, renderer};
use faafo_kernel::{Level, RenderError, Watch, probe};
use faafo_model::{Palette, Recipe, View};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// Ends a render also when the test fails.
struct CancelOnDrop<'w>(&'w Watch);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[test]
fn a_cancelled_render_ends_within_a_tenth_of_a_second() {
    let renderer = renderer(2);
    let watch = Watch::new();
    std::thread::scope(|scope| {
        let _cancel = CancelOnDrop(&watch);
        let render = scope.spawn(|| {
            let outcome = renderer.render(&endless(2000, 2000), &watch, &mut io::sink());
            (outcome, Instant::now())
        });
        // Both threads are in the middle of it.
        wait_until("pixels are done", || watch.progress() > 0.0);
        let cancelled = Instant::now();
        watch.cancel();
        let (outcome, ended) = render.join().unwrap();
        assert!(matches!(outcome, Err(RenderError::Cancelled)));
        assert!(ended - cancelled < Duration::from_millis(100));
        // The threads are free again, too.
        png_of(&renderer, &dragon(10, 10, 10, Palette::Classic));
        assert!(cancelled.elapsed() < Duration::from_millis(500));
    });
}

#[test]
fn a_cancelled_probe_ends_within_a_tenth_of_a_second() {
    let watch = Watch::new();
    let mut recipe = endless(20_000, 20_000);
    // Already the first of its rows takes seconds.
    recipe.colours.supersampling = 4;
    let asked = AtomicBool::new(false);
    let clock = || {
        asked.store(true, Relaxed);
        0.0
    };
    std::thread::scope(|scope| {
        let _cancel = CancelOnDrop(&watch);
        let probing = scope.spawn(|| {
            let outcome = probe(Level::best(), &recipe, 1.0, &clock, &watch);
            (outcome, Instant::now())
        });
        wait_until("it has begun", || asked.load(Relaxed));
        let cancelled = Instant::now();
        watch.cancel();
        let (outcome, ended) = probing.join().unwrap();
        assert!(matches!(outcome, Err(RenderError::Cancelled)));
        assert!(ended - cancelled < Duration::from_millis(100));
    });
}

#[test]
fn a_render_cancelled_beforehand_does_not_begin() {
    let watch = Watch::new();
    watch.cancel();
    let outcome = renderer(1).render(&endless(100, 100), &watch, &mut io::sink());
    assert!(matches!(outcome, Err(RenderError::Cancelled)));
    assert!(watch.is_cancelled());
}

#[test]
fn an_endless_render_does_not_hold_up_a_short_one() {
    let renderer = renderer(2);
    let watch = Watch::new();
    std::thread::scope(|scope| {
        let _cancel = CancelOnDrop(&watch);
        scope.spawn(|| {
            let outcome = renderer.render(&endless(2000, 2000), &watch, &mut io::sink());
            assert!(matches!(outcome, Err(RenderError::Cancelled)));
        });
        // All threads are in the endless render when the short one comes.
        wait_until("pixels are done", || watch.progress() > 0.0);
        let short = dragon(400, 300, 50, Palette::Aurora);
        png_of(&renderer, &short);
        assert!(watch.progress() < 1.0);
    });
}

#[test]
fn progress_goes_from_0_to_1() {
    /// Sees how progress grows.
    struct Observer<'w>(&'w Watch, Vec<f64>);
    impl Write for Observer<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.push(self.0.progress());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let watch = Watch::new();
    assert_eq!(watch.progress(), 0.0);
    let mut observer = Observer(&watch, Vec::new());
    let recipe = dragon(1000, 3000, 50, Palette::Classic);
    renderer(2).render(&recipe, &watch, &mut observer).unwrap();
    assert!(observer.1.is_sorted());
    assert_eq!(observer.1.first(), Some(&0.0));
    assert_eq!(watch.progress(), 1.0);
}

/// Rows of one block of a classic picture 1000 pixels wide.
const ROWS_PER_BLOCK: u32 = 128 * 1024 / 1001;

#[test]
fn a_slow_writer_holds_the_render_back() {
    /// Waits at the first block until the threads are as far as they may be.
    struct Slow<'w> {
        watch: &'w Watch,
        window: f64,
        waited: bool,
    }
    impl Write for Slow<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes == b"IDAT" && !self.waited {
                self.waited = true;
                let (watch, window) = (self.watch, self.window);
                wait_until("the window is full", || watch.progress() >= window);
                // Long enough for many more blocks, were there no bound.
                std::thread::sleep(Duration::from_millis(50));
                assert_eq!(watch.progress(), window);
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (blocks, threads, blocks_per_thread) = (100, 2, 3);
    let recipe = dragon(1000, blocks * ROWS_PER_BLOCK, 20, Palette::Classic);
    let watch = Watch::new();
    let mut slow = Slow {
        watch: &watch,
        window: f64::from(threads * blocks_per_thread) / f64::from(blocks),
        waited: false,
    };
    renderer(threads as usize)
        .render(&recipe, &watch, &mut slow)
        .unwrap();
    assert!(slow.waited);
}

#[test]
fn a_failing_writer_is_an_error_and_leaves_the_renderer_usable() {
    /// Takes some bytes, then no more.
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 < bytes.len() {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let renderer = renderer(2);
    let recipe = dragon(1000, 1000, 50, Palette::Aurora);
    let whole = png_of(&renderer, &recipe);
    for space in [0, 10, 100, 10_000, whole.0.len() - 1] {
        match renderer.render(&recipe, &Watch::new(), &mut Full(space)) {
            Err(RenderError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
            other => panic!("{other:?}"),
        }
    }
    assert!(png_of(&renderer, &recipe) == whole);
}

#[test]
fn impossible_recipes_are_refused() {
    let good = dragon(10, 10, 10, Palette::Aurora);
    let renderer = renderer(1);
    let refused = |change: fn(&mut Recipe)| {
        let mut recipe = good.clone();
        change(&mut recipe);
        let outcome = renderer.render(&recipe, &Watch::new(), &mut io::sink());
        matches!(outcome, Err(RenderError::Recipe(_)))
    };
    assert!(refused(|recipe| recipe.width = 0));
    assert!(refused(|recipe| recipe.height = 0));
    assert!(refused(|recipe| recipe.height = 1 << 31));
    assert!(refused(|recipe| recipe.iterations = 0));
    assert!(refused(
        |recipe| recipe.view = View::rectangle(f64::NAN, 2.0, -1.5, 1.5)
    ));
    assert!(refused(
        |recipe| recipe.view = View::rectangle(-2.0, 2.0, -1.5, f64::INFINITY)
    ));
    assert!(!refused(|_| ()));
}
