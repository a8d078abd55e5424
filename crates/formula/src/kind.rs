//! What the rest of the world knows about a formula: its name and what it can be told.

/// A kind of fractal.
#[derive(Debug)]
pub struct Kind {
    /// The name, as the wire and the command line spell it.
    pub name: &'static str,
    /// What people call its pictures.
    pub title: &'static str,
    /// The iteration, for people.
    pub iteration: &'static str,
    /// What a constant c means to it.
    pub constant: Constant,
    /// What else it can be told, in the order in which [`Map::with`](crate::Map::with) gets it.
    pub parameters: &'static [Parameter],
}

/// What a constant c means to a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constant {
    /// There is none: the pixel is c.
    Pixel,
    /// There is none: only the pixel where the orbit starts.
    Unused,
    /// There always is one; the pixel is where the orbit starts.
    Needed,
    /// Without one the pixel is c; with one, a Julia form, it is where the orbit starts.
    Possible,
}

/// A number besides c that a formula can be told.
#[derive(Debug)]
pub struct Parameter {
    /// The name, as the wire and the command line spell it.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The smallest allowed.
    pub least: f64,
    /// The largest allowed.
    pub most: f64,
    /// What it is if nobody says.
    pub default: f64,
    /// Whether it must be a whole number.
    pub whole: bool,
}

/// The most parameters of a formula.
pub const MOST_PARAMETERS: usize = 2;

/// The power of z; formulas that have one share its name and meaning.
pub(crate) const fn power(least: f64, default: f64) -> Parameter {
    Parameter {
        name: "power",
        meaning: "power of z",
        least,
        most: 16.0,
        default,
        whole: true,
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Kind {
    /// The parameters' defaults.
    pub fn defaults(&self) -> [f64; MOST_PARAMETERS] {
        let mut defaults = [0.0; MOST_PARAMETERS];
        for (default, parameter) in defaults.iter_mut().zip(self.parameters) {
            *default = parameter.default;
        }
        defaults
    }
}

impl Parameter {
    /// Whether it may be that.
    pub fn allows(&self, value: f64) -> bool {
        (self.least..=self.most).contains(&value) && (!self.whole || value.fract() == 0.0)
    }

    /// What it may be, for people.
    pub fn range(&self) -> String {
        let what = if self.whole {
            "a whole number"
        } else {
            "a number"
        };
        format!("{what} from {} to {}", self.least, self.most)
    }
}
