//! Text tables as the original printed them, and text made safe for a terminal.

/// Widths of the list's columns on a terminal: a UUID, `100000 x 100000 pixels`, and the size of a large picture.
const LIST_WIDTHS: [usize; 3] = [36, 22, 16];
/// Heads of the list's columns.
const LIST_HEADS: [&str; 3] = ["UUID", "Dimensions", "Filesize"];

/// The lines above the first row of the list on a terminal.
pub fn list_head() -> [String; 3] {
    [rule(&LIST_WIDTHS), list_row(LIST_HEADS), rule(&LIST_WIDTHS)]
}

/// The line below the last row of the list on a terminal.
pub fn list_foot() -> String {
    rule(&LIST_WIDTHS)
}

/// A row of the list for a terminal, every cell centred.
pub fn list_row(cells: [&str; 3]) -> String {
    let mut row = String::from("|");
    for (cell, width) in cells.iter().zip(LIST_WIDTHS) {
        row.push_str(&format!(" {cell:^width$} |"));
    }
    row
}

/// A row of the list for a program: no padding, exactly one line.
pub fn plain_row(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// A framed, left-aligned table of names and values with its head.
pub fn parameters(rows: &[(&str, String)]) -> String {
    let rows: Vec<(&str, String)> = std::iter::once(("Parameter", "Value".to_owned()))
        .chain(rows.iter().map(|(name, value)| (*name, one_line(value))))
        .collect();
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let name_width = width(&mut rows.iter().map(|(name, _)| name.chars().count()));
    let value_width = width(&mut rows.iter().map(|(_, value)| value.chars().count()));
    let rule = rule(&[name_width, value_width]);

    let mut table = format!("{rule}\n");
    for (index, (name, value)) in rows.iter().enumerate() {
        let (name, value) = (padded(name, name_width), padded(value, value_width));
        table.push_str(&format!("| {name} | {value} |\n"));
        if index == 0 {
            table.push_str(&format!("{rule}\n"));
        }
    }
    table.push_str(&rule);
    table.push('\n');
    table
}

/// Left-aligned columns, two spaces apart, without a frame.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.clone().map(|cell| one_line(&cell)))
        .collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{}  ", padded(cell, width)));
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// The text with spaces behind it; a format's width has sixteen bits only.
fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

fn rule(widths: &[usize]) -> String {
    let mut rule = String::from("+");
    for width in widths {
        rule.push_str(&"-".repeat(width + 2));
        rule.push('+');
    }
    rule
}

/// The text on one line and without control characters: what others wrote must not steer a terminal.
pub fn one_line(text: &str) -> String {
    text.trim_end()
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_fit_into_tables() {
        let long = "x".repeat(70_000);
        let table = parameters(&[("error", long.clone()), ("url", String::new())]);
        assert!(table.contains(&format!("| error     | {long} |\n")));
        let columns = columns(&[[long.clone(), "a".to_owned()], ["b".to_owned(), long]]);
        assert_eq!(columns.lines().count(), 2);
    }

    #[test]
    fn the_list_on_a_terminal_is_framed_with_centred_heads() {
        let [top, head, line] = list_head();
        assert_eq!(
            top,
            format!("+{}+{}+{}+", "-".repeat(38), "-".repeat(24), "-".repeat(18))
        );
        assert_eq!(
            head,
            "|                 UUID                 |       Dimensions       |     Filesize     |"
        );
        assert_eq!(line, top);
        assert_eq!(list_row(["u", "d", "f"]).len(), top.len());
    }

    #[test]
    fn a_row_for_a_program_has_no_padding() {
        let cells = ["u", "1 x 2 pixels", "0 bytes"];
        assert_eq!(plain_row(&cells), "| u | 1 x 2 pixels | 0 bytes |");
    }

    #[test]
    fn parameters_are_framed_and_left_aligned() {
        let rows = [("uuid", "abc".to_owned()), ("iterations", "é7".to_owned())];
        assert_eq!(
            parameters(&rows),
            "+------------+-------+\n\
             | Parameter  | Value |\n\
             +------------+-------+\n\
             | uuid       | abc   |\n\
             | iterations | é7    |\n\
             +------------+-------+\n"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["Name", "Cores"], ["a\nlong one", "8"], ["é", "16"]];
        assert_eq!(
            columns(&rows.map(|row| row.map(str::to_owned))),
            "Name        Cores\na long one  8\né           16\n"
        );
    }

    #[test]
    fn text_from_elsewhere_can_neither_break_lines_nor_steer_the_terminal() {
        assert_eq!(one_line("a\nb\u{1b}[31mc\r\n"), "a b [31mc");
    }
}
