//! Where ours answers otherwise than the original did, and why. Everything that is not listed here is the same.

/// What the original accepted, or blamed on something else, and ours refuses: the answer is a 400 that names this field.
pub const REFUSED: [(&str, &str, &str); 17] = [
    ("post_width_string_num", "width", "text is no number"),
    ("post_width_true", "width", "a truth value is no number"),
    ("post_width_neg", "width", "no picture has such a size"),
    ("post_width_zero", "width", "no picture has such a size"),
    ("post_iter_zero", "iterations", "killed worker after worker"),
    ("post_iter_neg", "iterations", "killed worker after worker"),
    ("post_huge", "width", "beyond the area limit"),
    ("post_xa_eq_xb", "xa", "an empty view made the workers spin"),
    ("post_xa_string_num", "xa", "text is no number"),
    ("post_uuid_not_uuid", "uuid", "a uuid is a UUID"),
    ("post_uuid_int", "uuid", "a uuid is a UUID"),
    (
        "post_uuid_empty",
        "uuid",
        "a uuid is a UUID; that row could be neither shown nor deleted",
    ),
    (
        "post_uuid_slash",
        "uuid",
        "a uuid is a UUID; that row could be neither shown nor deleted",
    ),
    (
        "post_with_results",
        "checksum",
        "only workers report results",
    ),
    ("post_with_image", "image", "only workers report results"),
    (
        "put_bad_image",
        "image",
        "no base64, and served with 500 ever after",
    ),
    (
        "put_image_notpng",
        "image",
        "no PNG, and served with 500 ever after",
    ),
];

/// What broke the original, and what ours answers: the status, and the field at fault where there is one.
pub const IMPROVED: [(&str, u16, Option<&str>); 16] = [
    ("image_pending", 202, None),
    ("post_json_scalar", 400, None),
    ("post_null", 400, None),
    ("post_empty_obj", 400, Some("width")),
    // The service makes up a name.
    ("post_missing_uuid", 201, None),
    ("post_width_string", 400, Some("width")),
    ("post_xa_string", 400, Some("xa")),
    ("post_nan", 400, Some("xa")),
    ("post_infinity", 400, Some("xa")),
    ("image_bad", 202, None),
    ("image_notpng", 202, None),
    ("get_column", 404, None),
    ("list_page_abc", 400, Some("page")),
    ("q_bad_field", 400, Some("q")),
    ("q_not_object", 400, Some("q")),
    ("index_page0", 404, None),
];

/// JSONP is left out: `callback` is ignored and the answer is plain JSON.
pub const IGNORED_CALLBACK: [&str; 2] = ["get_jsonp", "list_jsonp"];

/// The original's UNIQUE checksum refused a second picture like another one. Ours refuses this one as well, but because
/// it has not the size that was asked for; the message says so.
pub const OTHER_MESSAGE: &str = "put_same_checksum_other";
