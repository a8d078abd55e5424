//! Flags of `faafo create`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use faafo_model::{Formula, Palette};

/// Flags of `faafo create`. Of every value there are three: the value itself, and the bounds between which it is drawn
/// uniformly where it is not given.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// Height in pixels
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub height: Option<u32>,
    /// Least height drawn [default: 256]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub min_height: Option<u32>,
    /// Greatest height drawn [default: 1024]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub max_height: Option<u32>,
    /// Width in pixels
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub width: Option<u32>,
    /// Least width drawn [default: 256]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub min_width: Option<u32>,
    /// Greatest width drawn [default: 1024]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub max_width: Option<u32>,
    /// Most iterations spent on a pixel
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub iterations: Option<u32>,
    /// Least number of iterations drawn [default: 128]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub min_iterations: Option<u32>,
    /// Greatest number of iterations drawn [default: 512]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub max_iterations: Option<u32>,
    /// Number of fractals
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub tasks: Option<u32>,
    /// Least number of fractals drawn [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub min_tasks: Option<u32>,
    /// Greatest number of fractals drawn [default: 10]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub max_tasks: Option<u32>,
    /// Real part at the left edge
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub xa: Option<f64>,
    /// One bound of --xa [default: -1]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub min_xa: Option<f64>,
    /// Other bound of --xa [default: -4]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub max_xa: Option<f64>,
    /// Real part at the right edge
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub xb: Option<f64>,
    /// One bound of --xb [default: 1]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub min_xb: Option<f64>,
    /// Other bound of --xb [default: 4]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub max_xb: Option<f64>,
    /// Imaginary part at the top edge
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite)]
    pub ya: Option<f64>,
    /// One bound of --ya [default: -0.5]
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite)]
    pub min_ya: Option<f64>,
    /// Other bound of --ya [default: -3]
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite)]
    pub max_ya: Option<f64>,
    /// Imaginary part at the bottom edge
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite)]
    pub yb: Option<f64>,
    /// One bound of --yb [default: 0.5]
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite)]
    pub min_yb: Option<f64>,
    /// Other bound of --yb [default: 3]
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite)]
    pub max_yb: Option<f64>,

    /// What to draw
    #[arg(long, default_value = "julia", value_parser = PossibleValuesParser::new(Formula::KINDS))]
    pub kind: String,
    /// How iteration counts become colours [default: the service's]
    #[arg(long, value_parser = palette_parser())]
    pub palette: Option<Palette>,
    /// Real part of a Julia set's constant; drawn if not given
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite, requires = "cy")]
    pub cx: Option<f64>,
    /// Imaginary part of a Julia set's constant
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite, requires = "cx")]
    pub cy: Option<f64>,
    /// Draw everything from this number, so that the same command asks for the same pictures again
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Wait until every picture is done; fail if one failed
    #[arg(long)]
    pub wait: bool,
    /// Print rows as lines of JSON instead of UUIDs
    #[arg(long)]
    pub json: bool,
}

fn positive() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

/// A number that JSON can carry.
fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("must be a finite number".to_owned()),
    }
}

fn palette_parser() -> impl TypedValueParser<Value = Palette> {
    PossibleValuesParser::new(Palette::ALL.map(Palette::name))
        .try_map(|name| Palette::named(&name).ok_or("no such palette"))
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command, CreateArgs};
    use clap::Parser;

    fn parse(flags: &str) -> Result<CreateArgs, clap::Error> {
        let line = format!("faafo create {flags}");
        match Cli::try_parse_from(line.split_whitespace())?.command {
            Some(Command::Create(args)) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn negative_numbers_are_values_and_no_flags() {
        let args = parse("--xa -2.5 --min-ya -1e-3 --cx -.5 --cy -0.1").unwrap();
        assert_eq!((args.xa, args.min_ya), (Some(-2.5), Some(-0.001)));
        assert_eq!((args.cx, args.cy), (Some(-0.5), Some(-0.1)));
    }

    #[test]
    fn what_no_recipe_can_hold_is_a_usage_error() {
        for flags in [
            "--xa nan",
            "--xa inf",
            "--xa abc",
            "--width 0",
            "--width -5",
            "--iterations 1.5",
            "--cx 0.1",
            "--cy 0.1",
            "--kind newton",
            "--palette neon",
            "--seed -1",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }
}
