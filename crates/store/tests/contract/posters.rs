//! Posters and their bands.

use crate::{NOW, blob, complete, contract, finish, id, request};
use faafo_model::poster::BANDS_SHARE;
use faafo_model::{Bands, CreateRequest, Lane, Part, PlannedBand, State, Task};
use faafo_store::{
    ActivePoster, Claim, Finish, Joining, Made, Outcome, Planning, Query, Reservation, Role, Store,
    Subject,
};
use std::time::Duration;

const PREVIEW: u8 = 200;
const LONG: Duration = Duration::from_secs(3600);

/// The bands that the poster of 30 rows is cut into: one has half of the work.
fn bands() -> [PlannedBand; 3] {
    [(10, 1.0), (5, 2.0), (15, 1.0)].map(PlannedBand::from)
}

async fn accept(store: &Store) {
    let poster = CreateRequest {
        band_area: Some(7),
        ..request(1)
    };
    store.accept(&poster, NOW).await.unwrap();
}

async fn claim(store: &Store) -> Vec<Task> {
    let claims = store.claim_unpublished(&Lane::ALL, 100, NOW).await.unwrap();
    store.published(&claims, NOW).await.unwrap();
    let tasks = claims.into_iter().map(|claim: Claim| claim.task);
    let mut tasks: Vec<Task> = tasks.collect();
    tasks.sort_by_key(|task| match task.part {
        Part::Band { first, .. } => first,
        _ => 0,
    });
    tasks
}

/// The bands' tasks of a poster that is planned.
async fn planned(store: &Store) -> Vec<Task> {
    accept(store).await;
    assert_eq!(claim(store).await.len(), 1);
    let planned = store.plan(id(1), blob(PREVIEW), &bands(), NOW).await;
    assert_eq!(planned.unwrap(), Planning::Planned);
    claim(store).await
}

async fn finish_band(store: &Store, task: &Task, fragment: u8) {
    let finishes = [Finish {
        id: task.id,
        made: Made::Fragment(blob(fragment)),
        ..finish(0, fragment)
    }];
    let reserved = store.reserve(&finishes).await.unwrap();
    assert_eq!(reserved, [Reservation::Reserved]);
    assert_eq!(store.finish(&finishes, NOW).await.unwrap(), [true]);
}

/// A poster whose bands are done and are to be joined.
async fn joining(store: &Store) {
    for (task, fragment) in planned(store).await.iter().zip(1..) {
        finish_band(store, task, fragment).await;
    }
    let joined = store.join(id(1), &blob(50), NOW).await.unwrap();
    assert_eq!(joined, Joining::Queued);
}

async fn active(store: &Store) -> Vec<ActivePoster> {
    store.active_posters().await.unwrap()
}

async fn doomed(store: &Store) -> Vec<u8> {
    let doomed = store.doom_unused(100, NOW).await.unwrap();
    doomed.iter().map(|blob| blob.key.0[0]).collect()
}

async fn bands_and_other_tasks_can_be_claimed_without_each_other(store: Store) {
    accept(&store).await;
    claim(&store).await;
    let planned = store.plan(id(1), blob(PREVIEW), &bands(), NOW).await;
    assert_eq!(planned.unwrap(), Planning::Planned);
    for (number, priority) in [(2, 0), (3, 1)] {
        let request = CreateRequest {
            priority,
            ..request(number)
        };
        store.accept(&request, NOW).await.unwrap();
    }
    let none = store.claim_unpublished(&[], 10, NOW).await.unwrap();
    assert!(none.is_empty());
    for lane in [Lane::Interactive, Lane::Batch, Lane::Bands] {
        let claims = store.claim_unpublished(&[lane], 10, NOW).await.unwrap();
        let number = if lane == Lane::Bands { 3 } else { 1 };
        assert_eq!(claims.len(), number, "{lane:?}");
        assert!(claims.iter().all(|claim| claim.lane == lane));
        store.unclaim(&claims).await.unwrap();
    }
    let others = [Lane::Interactive, Lane::Batch];
    let claims = store.claim_unpublished(&others, 10, NOW).await.unwrap();
    let ids: Vec<_> = claims.iter().map(|claim| claim.task.id).collect();
    assert_eq!(ids, [id(3), id(2)]);
    store.unclaim(&claims).await.unwrap();
    assert_eq!(
        store
            .claim_unpublished(&Lane::ALL, 10, NOW)
            .await
            .unwrap()
            .len(),
        5
    );
}

async fn a_poster_is_planned_rendered_in_bands_and_joined(store: Store) {
    accept(&store).await;
    let plan = claim(&store).await;
    assert_eq!(plan[0].part, Part::Plan { band_area: 7 });
    let planned = store.plan(id(1), blob(PREVIEW), &bands(), NOW).await;
    assert_eq!(planned.unwrap(), Planning::Planned);
    let poster = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(poster.state, State::Rendering);
    let (_, preview) = store
        .get_stored(id(1), Role::THUMBNAIL)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(preview.unwrap().key, blob(PREVIEW).key);
    let tasks = claim(&store).await;
    let parts: Vec<Part> = tasks.iter().map(|task| task.part).collect();
    let band = |first, rows| Part::Band {
        poster: id(1),
        first,
        rows,
    };
    assert_eq!(parts, [band(0, 10), band(10, 5), band(15, 15)]);
    assert!(tasks.iter().all(|task| task.recipe == poster.recipe));
    assert_eq!(
        store.join(id(1), &blob(50), NOW).await.unwrap(),
        Joining::NotWanted
    );
    for (task, fragment) in tasks.iter().zip(1..) {
        finish_band(&store, task, fragment).await;
    }
    let fragments = store.fragments(id(1)).await.unwrap();
    let found: Vec<_> = fragments
        .iter()
        .map(|found| (found.rows, found.key))
        .collect();
    assert_eq!(
        found,
        [(10, blob(1).key), (5, blob(2).key), (15, blob(3).key)]
    );
    for expected in [Joining::Queued, Joining::NotWanted] {
        let joined = store.join(id(1), &blob(50), NOW).await.unwrap();
        assert_eq!(joined, expected);
    }
    let manifest = blob(50).key;
    assert_eq!(claim(&store).await[0].part, Part::Join { manifest });
    assert!(doomed(&store).await.is_empty(), "all of it is needed");
    complete(&store, 1, 60).await;
    assert_eq!(doomed(&store).await, [1, 2, 3, 50, PREVIEW]);
    let done = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!((done.state, done.eta), (State::Done, None));
    assert_eq!(store.bands(id(1)).await.unwrap(), None);
}

async fn saying_twice_that_it_is_planned_makes_no_more_bands(store: Store) {
    let tasks = planned(&store).await;
    let again = store.plan(id(1), blob(PREVIEW), &bands()[..1], NOW).await;
    assert_eq!(again.unwrap(), Planning::NotWanted);
    assert_eq!(
        store.bands(id(1)).await.unwrap().unwrap().total,
        tasks.len() as u64
    );
    assert!(claim(&store).await.is_empty());
}

async fn a_plan_that_is_not_the_picture_changes_nothing(store: Store) {
    accept(&store).await;
    let nothing = PlannedBand { rows: 0, work: 1.0 };
    for bad in [&bands()[..2], &[], &[&bands()[..], &[nothing]].concat()] {
        let planned = store.plan(id(1), blob(PREVIEW), bad, NOW).await;
        assert_eq!(planned.unwrap(), Planning::Wrong);
    }
    assert_eq!(store.bands(id(1)).await.unwrap(), None);
    assert_eq!(claim(&store).await.len(), 1);
}

async fn nobody_sees_bands(store: Store) {
    let tasks = planned(&store).await;
    let (band, number) = (tasks[0].id, tasks.len());
    assert_eq!(number, 3);
    finish_band(&store, &tasks[1], 1).await;
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.rendering, counts.accepted()), (1, 1));
    assert_eq!(store.count(&Query::default()).await.unwrap(), 1);
    assert_eq!(store.ids(&Query::default()).await.unwrap(), [id(1)]);
    assert_eq!(store.active(10).await.unwrap().len(), 1);
    assert!(store.newest(10, 0).await.unwrap().is_empty());
    assert!(store.get(band).await.unwrap().is_none());
    assert!(store.delete(band).await.unwrap().is_none());
    assert!(!store.cancel(band, NOW).await.unwrap());
    assert!(!store.set_priority(band, 5).await.unwrap());
}

async fn its_progress_is_that_of_its_bands_weighted_by_their_work(store: Store) {
    let tasks = planned(&store).await;
    finish_band(&store, &tasks[1], 1).await;
    store
        .rendering(&[(tasks[0].id, 1, 0.5)], NOW)
        .await
        .unwrap();
    let expected = ActivePoster {
        id: id(1),
        progress: 0.0,
        bands: Bands {
            total: 3,
            done: 1,
            rendering: 1,
            again: 0,
        },
        failed: 0,
        work_done: 2.5 / 4.0,
        since: NOW,
    };
    assert_eq!(active(&store).await, [expected]);
    let told = store.poster_progress(id(1), 0.6, Some(12.5)).await;
    assert!(told.unwrap());
    let poster = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(poster.progress, 0.6);
    assert_eq!(poster.eta, Some(12.5));
    store.cancel(id(1), NOW).await.unwrap();
    let told = store.poster_progress(id(1), 0.7, None).await;
    assert!(!told.unwrap());
}

async fn a_poster_that_waits_for_its_bands_is_neither_silent_nor_lost(store: Store) {
    let tasks = planned(&store).await;
    assert_eq!(store.waiting().await.unwrap(), 3);
    let later = NOW.plus(LONG);
    store
        .rendering(&[(tasks[0].id, 1, 0.5)], NOW)
        .await
        .unwrap();
    let silent = store.silent(Duration::from_secs(30), 10, later).await;
    assert_eq!(silent.unwrap(), [(tasks[0].id, 1)]);
    assert_eq!(
        store.republish_lost(Duration::ZERO, later).await.unwrap(),
        2
    );
    assert_eq!(claim(&store).await.len(), 2);
    // A process that starts anew and has forgotten all.
    finish_band(&store, &tasks[1], 1).await;
    store.republish_all(later).await.unwrap();
    let again: Vec<_> = claim(&store).await.iter().map(|task| task.id).collect();
    assert_eq!(again, [tasks[0].id, tasks[2].id]);
    let poster = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(poster.state, State::Rendering);
}

async fn only_the_band_that_came_to_nothing_is_tried_again(store: Store) {
    let tasks = planned(&store).await;
    let outcome = store.give_back(tasks[2].id, 1, "gone", NOW).await.unwrap();
    assert_eq!(outcome, Outcome::Queued(Subject::Part));
    let again = claim(&store).await;
    assert_eq!(
        (again.len(), again[0].id, again[0].attempt),
        (1, tasks[2].id, 2)
    );
    assert_eq!(store.bands(id(1)).await.unwrap().unwrap().again, 1);
}

async fn a_report_about_the_plan_that_comes_late_changes_nothing(store: Store) {
    planned(&store).await;
    assert!(store.fail(id(1), 1, "late", NOW).await.unwrap().is_none());
    let outcome = store.give_back(id(1), 1, "late", NOW).await.unwrap();
    assert_eq!(outcome, Outcome::Stale);
    let counted = store.rendering(&[(id(1), 1, 0.9)], NOW).await.unwrap();
    assert_eq!(counted, [None]);
}

async fn a_band_that_fails_fails_its_poster_with_the_reason(store: Store) {
    let tasks = planned(&store).await;
    assert!(!store.fail_poster(id(1), NOW).await.unwrap());
    assert!(
        store
            .fail(tasks[1].id, 1, "poison", NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(active(&store).await[0].failed, 1);
    assert!(store.fail_poster(id(1), NOW).await.unwrap());
    assert!(!store.fail_poster(id(1), NOW).await.unwrap());
    let poster = store.get(id(1)).await.unwrap().unwrap();
    assert_eq!(poster.state, State::Failed);
    assert_eq!(poster.error.unwrap(), "rows 10 to 14: poison");
    assert_eq!(store.republish_all(NOW).await.unwrap(), 0);
    let counted = store.rendering(&[(tasks[0].id, 1, 0.9)], NOW).await;
    assert_eq!(counted.unwrap(), [None], "the others are called off");
}

async fn cancelling_reaches_the_bands_and_retrying_keeps_those_that_are_done(store: Store) {
    let tasks = planned(&store).await;
    finish_band(&store, &tasks[0], 1).await;
    assert!(store.cancel(id(1), NOW).await.unwrap());
    assert_eq!(store.republish_all(NOW).await.unwrap(), 0);
    assert!(active(&store).await.is_empty());
    assert!(store.retry(id(1), NOW).await.unwrap());
    let again: Vec<_> = claim(&store)
        .await
        .iter()
        .map(|task| (task.id, task.attempt))
        .collect();
    assert_eq!(again, [(tasks[1].id, 2), (tasks[2].id, 2)]);
    assert_eq!(active(&store).await[0].bands.done, 1);
    assert!(store.poster_progress(id(1), 0.3, None).await.unwrap());
    for (task, fragment) in tasks[1..].iter().zip(2..) {
        finish_band(&store, task, fragment).await;
    }
    let joined = store.join(id(1), &blob(50), NOW).await.unwrap();
    assert_eq!(joined, Joining::Queued);
}

async fn deleting_removes_bands_and_all_that_is_stored_of_them(store: Store) {
    joining(&store).await;
    assert!(store.delete(id(1)).await.unwrap().is_some());
    assert_eq!(store.bands(id(1)).await.unwrap(), None);
    assert!(claim(&store).await.is_empty());
    assert_eq!(doomed(&store).await, [1, 2, 3, 50, PREVIEW]);
}

async fn joining_that_fails_can_be_tried_again(store: Store) {
    joining(&store).await;
    let task = claim(&store).await.remove(0);
    assert_eq!(
        store.get(id(1)).await.unwrap().unwrap().progress,
        BANDS_SHARE
    );
    let outcome = store.give_back(id(1), task.attempt, "gone", NOW).await;
    assert_eq!(outcome.unwrap(), Outcome::Queued(Subject::Owner));
    let task = claim(&store).await.remove(0);
    assert!(
        store
            .fail(id(1), task.attempt, "no luck", NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert!(store.retry(id(1), NOW).await.unwrap());
    let manifest = blob(50).key;
    assert_eq!(claim(&store).await[0].part, Part::Join { manifest });
}

async fn a_priority_is_that_of_the_bands_too(store: Store) {
    let tasks = planned(&store).await;
    finish_band(&store, &tasks[0], 1).await;
    assert!(store.set_priority(id(1), 9).await.unwrap());
    let claims = store.claim_unpublished(&Lane::ALL, 10, NOW).await.unwrap();
    let priorities: Vec<i64> = claims.iter().map(|claim| claim.priority).collect();
    assert_eq!(priorities, [9, 9]);
}

contract![
    bands_and_other_tasks_can_be_claimed_without_each_other,
    a_poster_is_planned_rendered_in_bands_and_joined,
    saying_twice_that_it_is_planned_makes_no_more_bands,
    a_plan_that_is_not_the_picture_changes_nothing,
    nobody_sees_bands,
    its_progress_is_that_of_its_bands_weighted_by_their_work,
    a_poster_that_waits_for_its_bands_is_neither_silent_nor_lost,
    only_the_band_that_came_to_nothing_is_tried_again,
    a_report_about_the_plan_that_comes_late_changes_nothing,
    a_band_that_fails_fails_its_poster_with_the_reason,
    cancelling_reaches_the_bands_and_retrying_keeps_those_that_are_done,
    deleting_removes_bands_and_all_that_is_stored_of_them,
    joining_that_fails_can_be_tried_again,
    a_priority_is_that_of_the_bands_too,
];
