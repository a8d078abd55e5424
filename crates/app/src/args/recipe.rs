//! Flags about a recipe: one for each field of the table, and one for each thing that a formula can be told.

use clap::builder::{BoolValueParser, PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgMatches, Args, FromArgMatches};
use faafo_formula::KINDS;
use faafo_model::fields::{Group, Holds, Range, Value as Scalar};
use faafo_model::gradient::{self, MOST_BYTES};
use faafo_model::request::parameter_names;
use faafo_model::{FIELDS, Field, Rgb};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

/// Whole numbers that are random where they are not given, with the limits between which they are then.
pub const RANDOM_WHOLE: [(&str, u32, u32); 3] = [
    ("width", 256, 1024),
    ("height", 256, 1024),
    ("iterations", 128, 512),
];

/// The same for other numbers; the limits may come in any order.
pub const RANDOM_REAL: [(&str, f64, f64); 4] = [
    ("xa", -1.0, -4.0),
    ("xb", 1.0, 4.0),
    ("ya", -0.5, -3.0),
    ("yb", 0.5, 3.0),
];

/// What the flags about a recipe say.
#[derive(Debug, Clone, Default)]
pub struct RecipeArgs {
    /// The fields that are given, as a request spells them.
    pub given: Map<String, Value>,
    /// The limits of random numbers that are given, by the names of their flags: `min-width`.
    limits: BTreeMap<String, Value>,
    /// What random numbers are made of, if they are to be the same each time.
    pub seed: Option<u64>,
}

impl RecipeArgs {
    /// The limits that are given for a random number.
    pub fn limits(&self, name: &str) -> [Option<&Value>; 2] {
        ["min", "max"].map(|end| self.limits.get(&format!("{end}-{name}")))
    }
}

impl Args for RecipeArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let colours = |field: &&Field| field.group == Group::Colours && !field.required;
        let others = FIELDS.iter().filter(|field| !colours(field)).map(flag);
        let seed = Arg::new("seed")
            .long("seed")
            .value_name("N")
            .value_parser(clap::value_parser!(u64))
            .help("Make random numbers of this one: the same command then asks for the same pictures again");
        let colours = FIELDS.iter().filter(colours).map(flag);
        command
            .args(others)
            .args(limits())
            .args(parameter_names().into_iter().map(parameter))
            .arg(seed)
            .args(colours.map(|flag| flag.help_heading("Colours")))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RecipeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |name: &str| Some((name.to_owned(), matches.get_one::<Value>(name)?.clone()));
        let names = FIELDS.iter().map(|field| field.name);
        let limits = limits();
        Ok(Self {
            given: names.chain(parameter_names()).filter_map(value).collect(),
            limits: limits
                .filter_map(|limit| value(limit.get_id().as_str()))
                .collect(),
            seed: matches.get_one("seed").copied(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a field.
fn flag(field: &'static Field) -> Arg {
    let range = match field.range {
        Range::Between(..) if field.classic => String::new(),
        Range::Between(least, most) => format!(", {least} to {most}"),
        Range::OneOf(_) => format!(": {}", field.expected()),
        Range::Named(_) | Range::Any => String::new(),
    };
    let default = match field.default {
        // Clap tells those that it knows.
        _ if field.group == Group::Kind => String::new(),
        Some(default) if field.holds != Holds::Flag => {
            format!(" [default: {}]", Scalar::from(default))
        }
        _ => String::new(),
    };
    let more = match field.holds {
        Holds::Gradient => {
            ": a file of Fractint (.map), GIMP (.gpl) or Ultra Fractal (.ugr), or stops such as 0:03051a,0.5:ffffff"
        }
        Holds::Colour => ", such as 102030",
        _ => "",
    };
    let help = format!("{}{range}{more}{default}", field.help);
    let flag = number_or_name(field.name, field.holds)
        .value_parser(parser(field))
        .help(help);
    match field.name {
        "kind" => flag.default_value("julia"),
        "cx" => flag.requires("cy"),
        "cy" => flag.requires("cx"),
        _ => flag,
    }
}

/// A flag with a value of that kind.
fn number_or_name(name: &'static str, holds: Holds) -> Arg {
    let flag = Arg::new(name).long(name);
    match holds {
        Holds::Whole => flag.value_name("N").allow_hyphen_values(true),
        Holds::Real => flag.value_name("X").allow_hyphen_values(true),
        Holds::Text => flag,
        Holds::Colour => flag.value_name("RRGGBB"),
        Holds::Gradient => flag.value_name("FILE|STOPS"),
        Holds::Flag => flag
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
    }
}

/// From the flag's value to the request's.
fn parser(field: &'static Field) -> ValueParser {
    let checked = |value: Value, scalar: Scalar| match field.check(&scalar) {
        Ok(()) => Ok(value),
        Err(error) => Err(error.reason),
    };
    match (field.holds, field.range) {
        (Holds::Text, Range::Named(names)) => {
            PossibleValuesParser::new(names()).map(Value::from).into()
        }
        (Holds::Whole, _) => ValueParser::new(move |text: &str| {
            let number = whole(text)?;
            checked(number.into(), Scalar::Whole(number))
        }),
        (Holds::Real, _) => ValueParser::new(move |text: &str| {
            let number = finite(text)?;
            checked(number.into(), Scalar::Real(number))
        }),
        (Holds::Flag, _) => BoolValueParser::new().map(Value::from).into(),
        (Holds::Colour, _) => ValueParser::new(|text: &str| {
            let colour = text.parse::<Rgb>();
            colour.map(|colour| Value::from(colour.to_string()))
        }),
        (Holds::Gradient, _) => ValueParser::new(stops),
        (Holds::Text, _) => ValueParser::new(|text: &str| Ok::<_, String>(Value::from(text))),
    }
}

/// The flags for the limits of random numbers.
fn limits() -> impl Iterator<Item = Arg> {
    let limit =
        |end: &str, name: &str, default: String, parser: ValueParser, value: &'static str| {
            let id = format!("{end}-{name}");
            let which = if end == "min" { "Lower" } else { "Upper" };
            Arg::new(id.clone())
                .long(id)
                .value_name(value)
                .allow_hyphen_values(true)
                .value_parser(parser)
                .help(format!(
                    "{which} limit when --{name} is random [default: {default}]"
                ))
        };
    let positive = || clap::value_parser!(u32).range(1..).map(Value::from).into();
    let number = || ValueParser::new(|text: &str| finite(text).map(Value::from));
    let whole = RANDOM_WHOLE.into_iter().flat_map(move |(name, min, max)| {
        let limit = |end, default: u32| limit(end, name, default.to_string(), positive(), "N");
        [limit("min", min), limit("max", max)]
    });
    let real = RANDOM_REAL.into_iter().flat_map(move |(name, min, max)| {
        let limit = |end, default: f64| limit(end, name, default.to_string(), number(), "X");
        [limit("min", min), limit("max", max)]
    });
    whole.chain(real)
}

/// The flag of a parameter, with what it means to whom.
fn parameter(name: &'static str) -> Arg {
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
    number_or_name(name, Holds::Real)
        .value_parser(|text: &str| finite(text).map(Value::from))
        .help(help.join("; "))
}

fn whole(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| "must be a whole number".to_owned())
}

/// A number that JSON can carry.
fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("must be a finite number".to_owned()),
    }
}

/// Stops as they are given, or those of a file.
fn stops(text: &str) -> Result<Value, String> {
    let stops = match gradient::parse_list(text) {
        Ok(stops) => stops,
        Err(_) => {
            let mut bytes = Vec::new();
            let most = MOST_BYTES as u64 + 1;
            File::open(text)
                .and_then(|file| file.take(most).read_to_end(&mut bytes))
                .map_err(|error| {
                    format!("neither stops such as 0:03051a,0.5:ffffff nor a file: {error}")
                })?;
            gradient::read(&bytes).map_err(|error| error.to_string())?
        }
    };
    serde_json::to_value(stops).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command, RecipeArgs};
    use clap::Parser;
    use faafo_model::FIELDS;
    use serde_json::json;

    fn parse(flags: &[&str]) -> Result<RecipeArgs, clap::Error> {
        let line = ["faafo", "create"].iter().chain(flags);
        match Cli::try_parse_from(line)?.command {
            Some(Command::Create(args)) => Ok(args.recipe),
            other => panic!("{other:?}"),
        }
    }

    fn given(flags: &str) -> serde_json::Value {
        let flags: Vec<&str> = flags.split_whitespace().collect();
        parse(&flags).unwrap().given.into()
    }

    #[test]
    fn negative_numbers_are_values_and_no_flags() {
        assert_eq!(
            given("--xa -2.5 --cx -.5 --cy -0.1"),
            json!({"kind": "julia", "xa": -2.5, "cx": -0.5, "cy": -0.1})
        );
        let args = parse(&["--min-ya", "-1e-3"]).unwrap();
        assert_eq!(args.limits("ya"), [Some(&json!(-0.001)), None]);
    }

    #[test]
    fn what_a_formula_is_told_has_flags_of_its_own() {
        assert_eq!(
            given("--kind nova --power 4 --relaxation -1.5"),
            json!({"kind": "nova", "power": 4.0, "relaxation": -1.5})
        );
    }

    #[test]
    fn what_is_given_is_sent_as_the_wire_spells_it() {
        assert_eq!(
            given(
                "--palette=magma --colouring=slope --density=2.5 --offset -0.5 --interior=102030 \
                 --supersampling=4 --adaptive --depth=16 --format=npy --width=5"
            ),
            json!({"kind": "julia", "palette": "magma", "colouring": "slope", "density": 2.5, "offset": -0.5,
                "interior": "#102030", "supersampling": 4, "adaptive": true, "depth": 16, "format": "npy", "width": 5})
        );
        assert_eq!(given(""), json!({"kind": "julia"}));
    }

    #[test]
    fn every_field_has_a_flag_that_explains_it() {
        let command = <Cli as clap::CommandFactory>::command();
        let create = command.find_subcommand("create").unwrap();
        for field in FIELDS {
            let mut flags = create.get_arguments();
            let flag = flags.find(|flag| flag.get_long() == Some(field.name));
            let help = flag.unwrap().get_help().unwrap().to_string();
            assert!(help.starts_with(field.help), "{help}");
        }
    }

    #[test]
    fn a_gradient_is_given_by_its_stops_or_by_a_file() {
        let stops =
            json!([{"position": 0.0, "colour": "#000000"}, {"position": 0.5, "colour": "#ff8000"}]);
        let given = parse(&["--gradient", "0:000000,0.5:ff8000"]).unwrap();
        assert_eq!(given.given["gradient"], stops);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0 0 0\n255 128 0\n").unwrap();
        let read = parse(&["--gradient", file.path().to_str().unwrap()]).unwrap();
        assert_eq!(read.given["gradient"], stops);
        std::fs::write(file.path(), "0 0 0\nrubbish\n").unwrap();
        let error = parse(&["--gradient", file.path().to_str().unwrap()]).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        let error = parse(&["--gradient", "no/such/file"]).unwrap_err();
        assert!(error.to_string().contains("nor a file"), "{error}");
    }

    #[test]
    fn what_no_recipe_can_hold_is_a_usage_error() {
        for flags in [
            "--xa nan",
            "--xa inf",
            "--xa abc",
            "--width 0",
            "--width -5",
            "--min-width 0",
            "--iterations 1.5",
            "--cx 0.1",
            "--cy 0.1",
            "--kind neutron",
            "--power x",
            "--palette neon",
            "--colouring=neon",
            "--interior=red",
            "--supersampling=9",
            "--supersampling=0",
            "--depth=12",
            "--density=x",
            "--density=0",
            "--adaptive=7",
            "--format gif",
            "--seed -1",
            "--priority 101",
        ] {
            let flags: Vec<&str> = flags.split_whitespace().collect();
            assert!(parse(&flags).is_err(), "{flags:?}");
        }
    }
}
