//! Numbers and times as people read them.

use faafo_model::Timestamp;

/// 1234567 as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length in bytes, in decimal units: `1.2 MB`.
pub fn bytes(length: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if length < 1000 {
        return format!("{length} {}", if length == 1 { "byte" } else { "bytes" });
    }
    let mut value = length as f64 / 1e3;
    let mut unit = 0;
    // 999.95 would be printed as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// The shortest text that parses back to exactly this number; with an exponent where there would be rows of zeros.
pub fn exact(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-7..1e17).contains(&magnitude) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

/// A number to read, not to compute with: five significant digits and a real minus sign.
pub fn brief(number: f64) -> String {
    let magnitude = number.abs();
    let text = if number == 0.0 || !number.is_finite() {
        number.abs().to_string()
    } else if (1e-4..1e6).contains(&magnitude) {
        let decimals = (4.0 - magnitude.log10().floor()).clamp(0.0, 8.0) as usize;
        let fixed = format!("{magnitude:.decimals$}");
        match fixed.contains('.') {
            true => fixed.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => fixed,
        }
    } else {
        format!("{magnitude:.3e}").replace("e-", "e−")
    };
    if number < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// A complex number to read: `−0.8 + 0.156 i`.
pub fn complex(real: f64, imaginary: f64) -> String {
    let sign = if imaginary < 0.0 { '−' } else { '+' };
    format!("{} {sign} {} i", brief(real), brief(imaginary.abs()))
}

/// How long something took: `0.42 s`, `2 min 5 s`, `1 h 2 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.0005 => "under 1 ms".to_owned(),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", thousands(whole / 3600), whole % 3600 / 60),
    }
}

/// A point in time: `21 September 2026, 14:13 UTC`.
pub fn moment(time: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let iso = time.to_string();
    let parts = (|| {
        let month = iso.get(5..7)?.parse::<usize>().ok()?.checked_sub(1)?;
        let day = iso.get(8..10)?.trim_start_matches('0');
        Some((day, MONTHS.get(month)?, iso.get(0..4)?, iso.get(11..16)?))
    })();
    match parts {
        Some((day, month, year, clock)) => format!("{day} {month} {year}, {clock} UTC"),
        None => iso,
    }
}

/// A part of 1 in whole per cent. Never 100 before it is complete.
pub fn percent(part: f64) -> u32 {
    (part.clamp(0.0, 1.0) * 100.0).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_in_threes() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn bytes_change_unit_before_they_reach_a_thousand() {
        for (length, text) in [
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (1_234_567, "1.2 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(length), text);
        }
    }

    #[test]
    fn an_exact_number_parses_back_to_itself() {
        for number in [
            0.0,
            -2.0,
            0.1 + 0.2,
            -0.743_643_887_037_151,
            1e-7,
            9.9e-8,
            5e-324,
            1e17,
            -1e100,
            f64::MAX,
        ] {
            let text = exact(number);
            assert_eq!(text.parse::<f64>().unwrap(), number, "{text}");
            assert!(text.len() < 26, "{text}");
        }
        assert_eq!(exact(-2.0), "-2");
        assert_eq!(exact(1e100), "1e100");
    }

    #[test]
    fn a_brief_number_has_five_digits_and_no_idle_zeros() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-0.8, "−0.8"),
            (-0.743_643_887, "−0.74364"),
            (100.0, "100"),
            (999_999.0, "999999"),
            (1e-9, "1.000e−9"),
            (-1e100, "−1.000e100"),
        ] {
            assert_eq!(brief(number), text);
        }
        assert_eq!(complex(-0.8, -0.156), "−0.8 − 0.156 i");
        assert_eq!(complex(0.0, 1.0), "0 + 1 i");
    }

    #[test]
    fn a_duration_has_two_units_at_most() {
        for (seconds, text) in [
            (-1.0, "under 1 ms"),
            (0.0421, "42 ms"),
            (0.9999, "1.0 s"),
            (12.34, "12.3 s"),
            (59.97, "1 min 0 s"),
            (125.0, "2 min 5 s"),
            (3720.0, "1 h 2 min"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        assert!(duration(f64::INFINITY).ends_with("min"));
    }

    #[test]
    fn a_moment_reads_as_a_date() {
        assert_eq!(
            moment(Timestamp(1_790_000_000_123_000)),
            "21 September 2026, 14:13 UTC"
        );
        assert!(moment(Timestamp(i64::MAX)).contains("9999"));
        assert_eq!(moment(Timestamp(-5)), "1 January 1970, 00:00 UTC");
    }

    #[test]
    fn per_cent_stay_between_0_and_100() {
        assert_eq!(percent(f64::NAN), 0);
        assert_eq!(percent(-1.0), 0);
        assert_eq!(percent(0.999), 99);
        assert_eq!(percent(7.0), 100);
    }
}
