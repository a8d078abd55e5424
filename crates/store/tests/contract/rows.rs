//! Accepting, reading, listing and deleting.

use crate::{NOW, blob, contract, field, finish, id, request};
use faafo_model::Lane;
use faafo_model::{
    Colouring, Colours, CreateRequest, Format, Formula, Fractal, Palette, Recipe, Rgb, State, Stop,
    View,
};
use faafo_store::query::{Compare, Filter, Order, Value};
use faafo_store::{Finish, LegacyResult, Query, Reservation, Role, Store};
use std::time::Duration;

/// Every real number of a row, as bits.
fn bits(fractal: &Fractal) -> [Option<u64>; 8] {
    let (view, constant) = (&fractal.recipe.view, fractal.recipe.formula.constant());
    [
        constant.map(|(cx, _)| cx),
        constant.map(|(_, cy)| cy),
        Some(view.xa),
        Some(view.xb),
        Some(view.ya),
        Some(view.yb),
        fractal.duration,
        Some(fractal.progress),
    ]
    // SQLite has no negative zero; so none of them has.
    .map(|number| number.map(|number| (number + 0.0).to_bits()))
}

/// Either none, or some of everything.
fn colours(some: bool) -> Colours {
    let stop = |position, rgb| Stop {
        position,
        colour: Rgb(rgb),
    };
    let all = Colours {
        colouring: Some(Colouring::Distance),
        gradient: vec![stop(0.1 + 0.2, [1, 2, 3]), stop(1.0, [255, 0, 16])],
        density: 1.0 / 3.0,
        offset: -0.1,
        interior: Some(Rgb([9, 8, 7])),
        supersampling: 8,
        adaptive: true,
        depth: 16,
    };
    if some { all } else { Colours::default() }
}

async fn a_row_comes_back_bit_for_bit(store: Store) {
    let accepted = store.accept(&request(1), NOW).await.unwrap().unwrap();
    let found = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(found, accepted);
    assert_eq!(bits(&found), bits(&accepted));
    assert_eq!(store.get(id(2)).await.unwrap(), None);
}

async fn every_real_number_survives_in_every_column(store: Store) {
    let numbers = [
        -2.123456789012345,
        0.1 + 0.2,
        5e-324,
        -f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        -0.0,
        1.0 + f64::EPSILON,
        123456789012345680.0,
        1.0 / 3.0,
    ];
    for (number, start) in (0..).zip(0..numbers.len()) {
        let n = |offset: usize| numbers[(start + offset) % numbers.len()];
        // Nulls and numbers in turn, through the same prepared statements.
        let formula = match start % 3 {
            0 => Formula::Mandelbrot,
            1 => {
                let nova = [("power", 4.0), ("relaxation", 0.1 + 0.2)];
                let nova = nova.map(|(name, value)| (name.to_owned(), value));
                Formula::from_parts("nova", Some((n(0), n(1))), nova).unwrap()
            }
            _ => Formula::Julia { cx: n(0), cy: n(1) },
        };
        let recipe = Recipe {
            formula,
            view: View {
                xa: n(2),
                xb: n(3),
                ya: n(4),
                yb: n(5),
            },
            width: u32::MAX,
            height: 1,
            iterations: u32::MAX,
            palette: if start % 3 == 1 {
                Palette::Gradient
            } else {
                Palette::Classic
            },
            colours: colours(start % 3 == 1),
            format: Format::Png,
        };
        let request = CreateRequest {
            priority: 0,
            id: Some(id(number)),
            recipe,
            band_area: None,
        };
        let accepted = store.accept(&request, NOW).await.unwrap().unwrap();
        store
            .rendering(&[(id(number), 1, n(6))], NOW)
            .await
            .unwrap();
        let duration = (start % 3 > 0).then_some(n(7));
        let result = LegacyResult {
            duration,
            ..LegacyResult::default()
        };
        store.legacy_result(id(number), &result).await.unwrap();
        let expected = Fractal {
            progress: n(6),
            duration,
            ..accepted.clone()
        };
        let found = store.get(id(number)).await.unwrap().unwrap();
        assert_eq!(bits(&found), bits(&expected));
        assert_eq!(found.recipe.colours, accepted.recipe.colours);
        let listed = store.list(&Query::default(), number.into(), 1).await;
        assert_eq!(bits(&listed.unwrap()[0]), bits(&expected));
        let task = &store.claim_unpublished(&Lane::ALL, 1, NOW).await.unwrap();
        assert!(task.is_empty(), "a worker has it");
        store.give_back(id(number), 1, "", NOW).await.unwrap();
        let claims = store.claim_unpublished(&Lane::ALL, 1, NOW).await.unwrap();
        assert_eq!(claims[0].task.recipe.colours, accepted.recipe.colours);
        let claimed = Fractal {
            recipe: claims[0].task.recipe.clone(),
            ..expected
        };
        assert_eq!(bits(&claimed)[..6], bits(&accepted)[..6]);
        let finishes = [Finish {
            duration,
            ..finish(number, 1)
        }];
        let reserved = store.reserve(&finishes).await.unwrap();
        assert_eq!(reserved, [Reservation::Reserved]);
        store.finish(&finishes, NOW).await.unwrap();
        let done = store.get(id(number)).await.unwrap().unwrap();
        assert_eq!(done.duration.map(f64::to_bits), duration.map(f64::to_bits));
        let (_, stored) = store
            .get_stored(id(number), Role::PICTURE)
            .await
            .unwrap()
            .unwrap();
        let stored = stored.unwrap();
        assert_eq!((stored.key, stored.size), (blob(1).key, Some(blob(1).size)));
    }
}

async fn a_row_knows_what_its_fractal_is_stored_as(store: Store) {
    for (number, format) in [(0, Format::Png), (1, Format::Npy), (2, Format::Npy)] {
        let mut request = request(number);
        request.recipe.format = format;
        let accepted = store.accept(&request, NOW).await.unwrap().unwrap();
        assert_eq!(store.get(id(number)).await.unwrap(), Some(accepted));
    }
    let claims = store.claim_unpublished(&Lane::ALL, 3, NOW).await.unwrap();
    let numbers = |claim: &&faafo_store::Claim| claim.task.recipe.format == Format::Npy;
    assert_eq!(claims.iter().filter(numbers).count(), 2);
    let query = |name: &str| Query {
        filter: Some(Filter::Value(
            field("format"),
            Compare::Equal,
            Value::Text(name.to_owned()),
        )),
        ..Query::default()
    };
    assert_eq!(store.ids(&query("png")).await.unwrap(), [id(0)]);
    assert_eq!(store.ids(&query("npy")).await.unwrap(), [id(1), id(2)]);
}

async fn an_id_is_accepted_once(store: Store) {
    assert!(store.accept(&request(1), NOW).await.unwrap().is_some());
    assert!(store.accept(&request(1), NOW).await.unwrap().is_none());
    assert_eq!(store.counts().await.unwrap().accepted(), 1);
}

async fn deleting_removes_the_row_and_its_outbox_entry(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    assert_eq!(store.delete(id(1)).await.unwrap().unwrap().id, id(1));
    assert!(store.delete(id(1)).await.unwrap().is_none());
    let claims = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    assert!(claims.is_empty());
    assert_eq!(store.counts().await.unwrap().accepted(), 0);
}

async fn lists_filter_sort_and_page(store: Store) {
    for number in 0..10 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    let widths = |fractals: Vec<faafo_model::Fractal>| -> Vec<_> {
        fractals
            .iter()
            .map(|fractal| fractal.recipe.width)
            .collect()
    };
    let value = |compare, number| Filter::Value(field("width"), compare, Value::Whole(number));
    let query = |filter| Query {
        filter: Some(filter),
        ..Query::default()
    };
    let all = Query::default();
    assert_eq!(store.count(&all).await.unwrap(), 10);
    assert_eq!(widths(store.list(&all, 8, 5).await.unwrap()), [9, 10]);
    let some = query(Filter::Or(vec![
        value(Compare::Less, 3),
        Filter::Not(Box::new(value(Compare::Less, 9))),
    ]));
    assert_eq!(
        widths(store.list(&some, 0, 10).await.unwrap()),
        [1, 2, 9, 10]
    );
    let among = query(Filter::Among(
        field("width"),
        true,
        vec![Value::Whole(4), Value::Whole(5)],
    ));
    assert_eq!(store.count(&among).await.unwrap(), 2);
    for (holds, number) in [(true, 0), (false, 10)] {
        let none = query(Filter::Among(field("width"), holds, vec![]));
        assert_eq!(store.count(&none).await.unwrap(), number);
    }
    let like = |compare, text: &str| {
        query(Filter::Value(
            field("kind"),
            compare,
            Value::Text(text.into()),
        ))
    };
    assert_eq!(store.count(&like(Compare::Like, "ju%a")).await.unwrap(), 10);
    assert_eq!(store.count(&like(Compare::ILike, "JU%")).await.unwrap(), 10);
    assert_eq!(
        store
            .count(&query(Filter::Null(field("url"), true)))
            .await
            .unwrap(),
        10
    );
    let taller = query(Filter::Fields(
        field("height"),
        Compare::Greater,
        field("width"),
    ));
    assert_eq!(store.count(&taller).await.unwrap(), 10);
    let real = query(Filter::Value(
        field("xa"),
        Compare::Equal,
        Value::Real(0.1 + 0.2),
    ));
    assert_eq!(store.count(&real).await.unwrap(), 10);
    let last = Query {
        order: vec![(field("width"), Order::Descending)],
        limit: Some(3),
        offset: 1,
        ..Query::default()
    };
    assert_eq!(store.count(&last).await.unwrap(), 3);
    assert_eq!(widths(store.list(&last, 0, 10).await.unwrap()), [9, 8, 7]);
    assert_eq!(widths(store.list(&last, 2, 10).await.unwrap()), [7]);
    let grouped = Query {
        group: vec![field("height")],
        ..Query::default()
    };
    assert_eq!(widths(store.list(&grouped, 0, 10).await.unwrap()), [1]);
    let ids = store.ids(&last).await.unwrap();
    assert_eq!(ids, [id(8), id(7), id(6)]);
    store.delete(id(7)).await.unwrap();
    assert_eq!(widths(store.get_many(&ids).await.unwrap()), [9, 7]);
}

async fn views_show_the_newest_and_the_active(store: Store) {
    for number in 0..5 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    for (number, second) in [(0, 1), (1, 2), (2, 3)] {
        let finishes = [finish(number, 1)];
        store.reserve(&finishes).await.unwrap();
        store
            .finish(&finishes, NOW.plus(Duration::from_secs(second)))
            .await
            .unwrap();
    }
    store.rendering(&[(id(4), 1, 0.5)], NOW).await.unwrap();
    let ids =
        |fractals: Vec<faafo_model::Fractal>| -> Vec<_> { fractals.iter().map(|f| f.id).collect() };
    assert_eq!(ids(store.newest(2, 0).await.unwrap()), [id(2), id(1)]);
    assert_eq!(ids(store.newest(2, 2).await.unwrap()), [id(0)]);
    assert_eq!(ids(store.active(8).await.unwrap()), [id(4), id(3)]);
    assert_eq!(ids(store.active(1).await.unwrap()), [id(4)]);
    let counts = store.counts().await.unwrap();
    assert_eq!(
        (
            counts.done,
            counts.rendering,
            counts.queued,
            counts.accepted()
        ),
        (3, 1, 1, 5)
    );
}

async fn old_workers_may_send_their_result_in_pieces(store: Store) {
    store.accept(&request(1), NOW).await.unwrap();
    let first = LegacyResult {
        checksum: Some("abc".into()),
        duration: Some(10.12),
        ..LegacyResult::default()
    };
    assert!(store.legacy_result(id(1), &first).await.unwrap());
    let second = LegacyResult {
        size: Some(3),
        ..LegacyResult::default()
    };
    assert!(store.legacy_result(id(1), &second).await.unwrap());
    let row = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (row.checksum.as_deref(), row.duration, row.size),
        (Some("abc"), Some(10.12), Some(3))
    );
    assert_eq!(row.state, State::Queued);
}

async fn one_condition_takes_whole_and_real_numbers_in_turn(store: Store) {
    for number in 0..10 {
        store.accept(&request(number), NOW).await.unwrap();
    }
    for _ in 0..3 {
        for value in [Value::Whole(4), Value::Real(4.5)] {
            let query = Query {
                filter: Some(Filter::Value(field("width"), Compare::AtMost, value)),
                ..Query::default()
            };
            assert_eq!(store.count(&query).await.unwrap(), 4);
        }
    }
}

async fn texts_compare_alike_everywhere(store: Store) {
    for (number, name) in (0..).zip(["b", "B", "a", "ä", "100%", "back\\", "Z"]) {
        store.accept(&request(number), NOW).await.unwrap();
        let result = LegacyResult {
            generated_by: Some(name.into()),
            ..LegacyResult::default()
        };
        store.legacy_result(id(number), &result).await.unwrap();
    }
    store.accept(&request(7), NOW).await.unwrap();
    let found = async |compare, text: &str| {
        let value = Value::Text(text.into());
        let query = Query {
            filter: Some(Filter::Value(field("generated_by"), compare, value)),
            ..Query::default()
        };
        store.ids(&query).await.unwrap()
    };
    assert_eq!(found(Compare::Equal, "b").await, [id(0)]);
    assert!(found(Compare::Equal, "b\0").await.is_empty());
    assert_eq!(found(Compare::Like, "b").await, [id(0), id(1)]);
    assert_eq!(found(Compare::ILike, "B%").await, [id(0), id(1), id(5)]);
    assert_eq!(found(Compare::NotLike, "_").await, [id(4), id(5)]);
    assert_eq!(found(Compare::Like, "back\\").await, [id(5)]);
    assert_eq!(found(Compare::Like, "%\\%").await, [id(5)]);
    let strange = Query {
        filter: Some(Filter::Value(
            field("state"),
            Compare::NotEqual,
            Value::Text("zwölf 🌀".into()),
        )),
        ..Query::default()
    };
    assert_eq!(store.count(&strange).await.unwrap(), 8);
    let in_order = async |order| {
        let query = Query {
            order: vec![(field("generated_by"), order)],
            ..Query::default()
        };
        store.ids(&query).await.unwrap()
    };
    let ascending = [7, 4, 1, 6, 2, 0, 5, 3].map(id);
    assert_eq!(in_order(Order::Ascending).await, ascending);
    let mut descending = ascending;
    descending.reverse();
    assert_eq!(in_order(Order::Descending).await, descending);
}

contract![
    a_row_comes_back_bit_for_bit,
    every_real_number_survives_in_every_column,
    a_row_knows_what_its_fractal_is_stored_as,
    an_id_is_accepted_once,
    deleting_removes_the_row_and_its_outbox_entry,
    lists_filter_sort_and_page,
    views_show_the_newest_and_the_active,
    old_workers_may_send_their_result_in_pieces,
    one_condition_takes_whole_and_real_numbers_in_turn,
    texts_compare_alike_everywhere,
];
