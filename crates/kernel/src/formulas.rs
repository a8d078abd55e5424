//! From a recipe's formula to the function that is iterated.

use crate::plane::Pixels;
use crate::search::{Ends, Iteration, Search, Stopped};
use crate::simd::Level;
use crate::trail::{Trail, Wanted};
use faafo_formula::{Constant, Map, Visitor, with_map};
use faafo_model::Recipe;

/// An [`Iteration`] of some function.
pub(crate) trait AnyIteration: std::fmt::Debug + Send + Sync {
    /// A search for how the orbits of these pixels end.
    fn search(&self, pixels: &Pixels, want_z: bool) -> Search;

    /// Goes on with a search, as [`Search::go_on`] does.
    fn go_on(
        &self,
        search: &mut Search,
        level: Level,
        pixels: &Pixels,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped>;

    /// A second pass over orbits that have ended like this.
    fn trail(&self, wanted: Wanted, ends: &Ends) -> Trail;

    /// Goes on with a second pass, as [`Trail::go_on`] does.
    fn follow(
        &self,
        trail: &mut Trail,
        level: Level,
        pixels: &Pixels,
        ends: &Ends,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped>;

    /// As [`Map::degree`].
    fn degree(&self) -> Option<f64>;

    /// The continuous escape times of plain pictures.
    fn smooth_times(&self, level: Level, pixels: &Pixels, ends: &Ends) -> Vec<f64>;
}

impl<M: Map + std::fmt::Debug> AnyIteration for Iteration<M> {
    fn search(&self, pixels: &Pixels, want_z: bool) -> Search {
        Search::new(self, pixels, want_z)
    }

    fn go_on(
        &self,
        search: &mut Search,
        level: Level,
        pixels: &Pixels,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        search.go_on(level, self, pixels, stop)
    }

    fn trail(&self, wanted: Wanted, ends: &Ends) -> Trail {
        Trail::new(wanted, ends, self.limit)
    }

    fn follow(
        &self,
        trail: &mut Trail,
        level: Level,
        pixels: &Pixels,
        ends: &Ends,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, Stopped> {
        trail.go_on(level, self, pixels, ends, stop)
    }

    fn degree(&self) -> Option<f64> {
        self.map.degree()
    }

    fn smooth_times(&self, level: Level, pixels: &Pixels, ends: &Ends) -> Vec<f64> {
        crate::palette::smooth::times(level, self, pixels, ends)
    }
}

/// What a recipe asks for.
pub(crate) fn iteration(recipe: &Recipe) -> Box<dyn AnyIteration> {
    let formula = &recipe.formula;
    let julia = match formula.about().constant {
        Constant::Unused => Some((0.0, 0.0)),
        _ => formula.constant(),
    };
    let make = Make {
        julia,
        limit: recipe.iterations,
    };
    with_map(formula.about(), &formula.values(), make)
}

struct Make {
    julia: Option<(f64, f64)>,
    limit: u32,
}

impl Visitor for Make {
    type Output = Box<dyn AnyIteration>;

    fn visit<M: Map + std::fmt::Debug>(self, map: M) -> Self::Output {
        Box::new(Iteration {
            map,
            julia: self.julia,
            limit: self.limit,
        })
    }
}
