//! Samples at every crossing of some columns and rows.

use crate::formulas::AnyIteration;
use crate::plane::{Columns, Pixels, Rows};
use crate::search::{Search, Stopped};
use crate::simd::Level;
use crate::trail::{Mark, Trail, Wanted};

/// A search for what becomes of the orbits, in two passes.
pub(crate) struct Sampler {
    columns: Columns,
    rows: Rows,
    wanted: Option<Wanted>,
    search: Search,
    trail: Option<Trail>,
}

impl Sampler {
    /// Nothing done yet. Without anything wanted there is no second pass, and no marks.
    pub fn new(
        iteration: &dyn AnyIteration,
        columns: Columns,
        rows: Rows,
        wanted: Option<Wanted>,
    ) -> Self {
        let pixels = Pixels::new(&columns, &rows);
        let search = iteration.search(&pixels, wanted.is_some());
        Self {
            columns,
            rows,
            wanted,
            search,
            trail: None,
        }
    }

    /// Goes on for a while; whether all is done.
    pub fn go_on(
        &mut self,
        iteration: &dyn AnyIteration,
        level: Level,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        let pixels = Pixels::new(&self.columns, &self.rows);
        if let Some(trail) = &mut self.trail {
            return iteration.follow(trail, level, &pixels, self.search.ends(), stop);
        }
        let all = iteration.go_on(&mut self.search, level, &pixels, stop)?;
        let Some(wanted) = self.wanted.filter(|_| all) else {
            return Ok(all);
        };
        self.trail = Some(iteration.trail(wanted, self.search.ends()));
        Ok(false)
    }

    /// Counts and marks of all samples, row by row.
    pub fn samples(&self) -> impl Iterator<Item = (u32, Option<&Mark>)> {
        let marks = self.trail.as_ref().map(Trail::marks);
        let mark = move |index| marks.map(|marks| &marks[index]);
        let counts = self.search.ends().count.iter().enumerate();
        counts.map(move |(index, &count)| (count, mark(index)))
    }
}
