//! What a list of rows looks like: a second, naive implementation of the original's paging and query language.

use serde_json::{Map, Value, json};

/// The answer to `GET path` where these rows, in the order of their names, are all there are: body and `Link`, which
/// begins with `{base}`.
pub fn list(rows: &[Value], path: &str) -> (Value, String) {
    let parameter = |name: &str| {
        let (_, query) = path.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(unescaped(value))
    };
    let page: i64 = parameter("page").map_or(1, |page| page.parse().unwrap());
    let asked: Option<i64> = parameter("results_per_page").and_then(|number| number.parse().ok());
    let per_page = asked.filter(|number| *number > 0).unwrap_or(10).min(100);

    let q = parameter("q").map_or(json!({}), |q| serde_json::from_str(&q).unwrap());
    let mut found: Vec<&Value> = rows.iter().filter(|row| passes(row, &q)).collect();
    if let Some(field) = q["order_by"][0]["field"].as_str() {
        assert_eq!(q["order_by"][0]["direction"], "asc");
        found.sort_by_key(|row| row[field].as_i64());
    }
    if let Some(limit) = q["limit"].as_u64() {
        found.truncate(usize::try_from(limit).unwrap());
    }
    // As the original did: groups thin out the rows but not their number.
    let total = i64::try_from(found.len()).unwrap();
    if let Some(field) = q["group_by"][0]["field"].as_str() {
        let mut seen = Vec::new();
        found.retain(|row| {
            let is_new = !seen.contains(&row[field]);
            seen.push(row[field].clone());
            is_new
        });
    }

    let last = (total + per_page - 1) / per_page;
    let start = (page - 1) * per_page;
    let objects = python_slice(&found, start, start + per_page);
    let body = json!({"num_results": total, "objects": objects, "page": page, "total_pages": last});
    let to = |page: i64, rel: &str| {
        format!("<{{base}}/v1/fractal?page={page}&results_per_page={per_page}>; rel=\"{rel}\"")
    };
    let next = if page < last {
        to(page + 1, "next") + ", "
    } else {
        String::new()
    };
    (body, next + &to(last, "last"))
}

/// `list[start:end]` as Python understands it.
fn python_slice<'a>(list: &[&'a Value], start: i64, end: i64) -> Vec<&'a Value> {
    let length = i64::try_from(list.len()).unwrap();
    let place = |index: i64| {
        if index < 0 {
            (index + length).max(0)
        } else {
            index.min(length)
        }
    };
    let (start, end) = (place(start), place(end));
    (start..end)
        .map(|index| list[usize::try_from(index).unwrap()])
        .collect()
}

fn passes(row: &Value, q: &Value) -> bool {
    q["filters"]
        .as_array()
        .is_none_or(|filters| filters.iter().all(|filter| holds(row, filter)))
}

fn holds(row: &Value, filter: &Value) -> bool {
    if let Some(all) = filter["and"].as_array() {
        return all.iter().all(|filter| holds(row, filter));
    }
    let name = filter["name"].as_str().unwrap();
    // Rows show no image; they have one once they have a checksum.
    let field = |name: &str| row.get(name).unwrap_or(&row["checksum"]).clone();
    let left = field(name);
    let filter: &Map<String, Value> = filter.as_object().unwrap();
    let right = match (filter.get("val"), filter.get("field")) {
        (Some(value), _) => value.clone(),
        (None, Some(other)) => field(other.as_str().unwrap()),
        (None, None) => Value::Null,
    };
    let (a, b) = (left.as_i64(), right.as_i64());
    match filter["op"].as_str().unwrap() {
        "==" | "eq" => left == right,
        ">=" | "ge" => a >= b,
        "<=" | "le" => a <= b,
        "<" => a < b,
        "gt" => a > b,
        "in" => right.as_array().unwrap().contains(&left),
        "like" => {
            let end = right
                .as_str()
                .unwrap()
                .strip_prefix('%')
                .expect("only %… was recorded");
            left.as_str().unwrap().ends_with(end)
        }
        "is_null" => left.is_null(),
        "is_not_null" => !left.is_null(),
        other => panic!("{other} was not recorded"),
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
