//! Flags of `faafo create`.

use super::colours::ColourArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, FromArgMatches};
use faafo_formula::KINDS;
use faafo_model::limits::MAX_PRIORITY;
use faafo_model::request::parameter_names;
use faafo_model::{Format, Formula};
use std::collections::BTreeMap;

/// Flags of `faafo create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// Number of fractals
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub tasks: Option<u32>,
    /// Least number of fractals drawn [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub min_tasks: Option<u32>,
    /// Greatest number of fractals drawn [default: 10]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = positive())]
    pub max_tasks: Option<u32>,
    /// How urgent, from -100 to 100; above 0 it overtakes what is queued already [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = priority())]
    pub priority: Option<i64>,
    /// Only say what it would take: work, bytes, bands, time with the workers now present
    #[arg(long, conflicts_with = "wait")]
    pub dry_run: bool,
    /// Wait until every picture is done; fail if one failed
    #[arg(long)]
    pub wait: bool,
    /// Print rows as lines of JSON instead of UUIDs
    #[arg(long)]
    pub json: bool,
    // Last, because its last heading would go on.
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// Flags about a recipe. Of every value there are three: the value itself, and the bounds between which it is drawn
/// uniformly where it is not given.
#[derive(Debug, Clone, Args)]
pub struct RecipeArgs {
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
    #[arg(long, default_value = "julia", value_parser = PossibleValuesParser::new(Formula::kinds()))]
    pub kind: String,
    /// Real part of the constant of a Julia set, drawn if not given, or of another formula's Julia form
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite, requires = "cy")]
    pub cx: Option<f64>,
    /// Imaginary part of the constant
    #[arg(long, value_name = "Y", allow_hyphen_values = true, value_parser = finite, requires = "cx")]
    pub cy: Option<f64>,
    #[command(flatten)]
    pub parameters: ParameterArgs,
    /// Draw everything from this number, so that the same command asks for the same pictures again
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What becomes of it: the picture, or the iterations and continuous escape time of each pixel for NumPy (npy)
    /// [default: png]
    #[arg(long, value_parser = formats())]
    pub format: Option<Format>,
    #[command(flatten)]
    pub colours: ColourArgs,
}

/// The range of priorities.
pub fn priority() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(-MAX_PRIORITY..=MAX_PRIORITY)
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(Format::ALL.map(Format::name));
    names.try_map(|name| Format::named(&name).ok_or("no such format"))
}

fn positive() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

/// A number that JSON can carry.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("must be a finite number".to_owned()),
    }
}

/// A flag for each thing that some formula can be told besides a constant.
#[derive(Debug, Clone, Default)]
pub struct ParameterArgs(pub BTreeMap<&'static str, f64>);

impl Args for ParameterArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        parameter_names()
            .into_iter()
            .fold(command, |command, name| command.arg(parameter(name)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ParameterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = parameter_names().into_iter();
        let given = |name| Some((name, *matches.get_one::<f64>(name)?));
        Ok(Self(names.filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a parameter, with what it means to whom.
fn parameter(name: &'static str) -> clap::Arg {
    let owners = KINDS.iter().flat_map(|kind| {
        let of_kind = kind
            .parameters
            .iter()
            .map(|parameter| (kind.name, parameter));
        of_kind.filter(|(_, parameter)| parameter.name == name)
    });
    let help: Vec<String> = owners
        .map(|(kind, parameter)| {
            format!(
                "{kind}: {}, {} [default: {}]",
                parameter.meaning,
                parameter.range(),
                parameter.default
            )
        })
        .collect();
    clap::Arg::new(name)
        .long(name)
        .value_name("X")
        .allow_hyphen_values(true)
        .value_parser(finite)
        .help(help.join("; "))
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
        assert_eq!(
            (args.recipe.xa, args.recipe.min_ya),
            (Some(-2.5), Some(-0.001))
        );
        assert_eq!((args.recipe.cx, args.recipe.cy), (Some(-0.5), Some(-0.1)));
    }

    #[test]
    fn what_a_formula_is_told_has_flags_of_its_own() {
        let args = parse("--kind nova --power 4 --relaxation -1.5").unwrap();
        let told: Vec<_> = args.recipe.parameters.0.into_iter().collect();
        assert_eq!(told, [("power", 4.0), ("relaxation", -1.5)]);
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
            "--kind neutron",
            "--power x",
            "--palette neon",
            "--format gif",
            "--seed -1",
            "--priority 101",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }
}
