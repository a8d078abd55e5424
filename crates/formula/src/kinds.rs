//! All formulas. Adding one: a file here, and a line in [`kinds!`].

use crate::{Kind, MOST_PARAMETERS, Map};

/// Something to be done with a formula, whichever it is.
pub trait Visitor {
    /// What it comes to.
    type Output;

    /// Does it.
    fn visit<M: Map + std::fmt::Debug>(self, map: M) -> Self::Output;
}

macro_rules! kinds {
    ($($file:ident::$map:ident),+ $(,)?) => {
        $(mod $file;)+

        /// Every kind, the two classic ones first.
        pub static KINDS: &[&Kind] =
            &[&quadratic::JULIA, &quadratic::MANDELBROT, $(&$file::KIND),+];

        /// Does something with the formula of a kind and its parameters.
        pub fn with_map<V: Visitor>(
            kind: &Kind,
            parameters: &[f64; MOST_PARAMETERS],
            visitor: V,
        ) -> V::Output {
            match kind.name {
                $(name if name == $file::KIND.name => visitor.visit($file::$map::with(parameters)),)+
                _ => visitor.visit(quadratic::Quadratic),
            }
        }
    };
}

mod quadratic;

kinds! {
    multibrot::Multibrot,
    burning_ship::BurningShip,
    buffalo::Buffalo,
    perpendicular_ship::PerpendicularShip,
    celtic::Celtic,
    tricorn::Tricorn,
    phoenix::Phoenix,
    lambda::Lambda,
    newton::Newton,
    nova::Nova,
    magnet1::Magnet1,
    magnet2::Magnet2,
}

pub use quadratic::Quadratic;

/// The kind of that name.
pub fn kind_named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}
