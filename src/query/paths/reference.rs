//! What the reference says of funnels and journeys.

/// The chapter, as Markdown.
pub(in crate::query) const REFERENCE: &str = r##"## Funnels

`POST /api/v2/funnel` tells how many visitors go through several steps, one after the other.

```json
{
  "site_id": "example.com",
  "date_range": "30d",
  "steps": [{ "page": "/pricing" }, { "page": "/signup/*", "name": "Form" }, { "goal": "Signup" }],
  "mode": "loose",
  "window": "visit",
  "dimensions": ["visit:source"]
}
```

| Key | | |
|---|---|---|
| `site_id`, `date_range` | required | As of a report. |
| `steps` | required | 2 to 12 of them; see below. |
| `mode` | | `"loose"`, the default: anything may happen between two steps. `"strict"`: the steps are page views and custom events that follow one another directly; it need not be the first attempt. |
| `window` | | `"visit"`, the default: all steps within one visit, in the order in which the events arrived. Or so many seconds, 1 to 86400, from the first step, over all that the visitor did on that day; events of the same second keep the order of their arrival. |
| `filters` | | As of a report. They say which visits count: one that had such an event counts with all its events. |
| `dimensions` | | One at most, and not `event:goal`: what the event of the first step has, the first time that it was done. |
| `include` | | `comparisons`, as of a report. |
| `pagination` | | As of a report; rows are sorted by the visitors of the first step. |

A step is one event:

| Step | Is done by an event that |
|---|---|
| `{ "page": "/blog/**" }` | is a view of such a page; `*` is anything |
| `{ "event": "Signup" }` | has this name |
| `{ "goal": "Signup" }` | meets this goal of the site |
| `{ "filters": [filter, …] }` | meets all these filters, which are on event dimensions |

and has a `name` in the answer, its own or a given one. One event is one step: a page that is a step twice must be seen
twice.

```json
{
  "results": [{
    "dimensions": ["Google"],
    "steps": [
      { "name": "/pricing", "visitors": 200, "conversion_rate": 100.0,
        "step_conversion_rate": null, "drop_off": null, "drop_off_rate": null },
      { "name": "Form", "visitors": 50, "conversion_rate": 25.0,
        "step_conversion_rate": 25.0, "drop_off": 150, "drop_off_rate": 75.0 }
    ]
  }],
  "meta": {},
  "query": { "site_id": "example.com", "…": "…" }
}
```

`visitors` reached the step; `conversion_rate` is their share of the first step's, `step_conversion_rate` of the step's
before it, in percent to two decimals; `drop_off` of the step before did not go on, and `drop_off_rate` is their share.
Without a dimension there is exactly one result. With a comparison each has `comparison: { dimensions, steps }`;
null where the other period has no such bucket of time.

## Journeys

`POST /api/v2/journey` tells where visits go from a page or event, or where they came from.

```json
{ "site_id": "example.com", "date_range": "30d", "from": { "page": "/pricing" }, "direction": "forward", "depth": 2 }
```

| Key | | |
|---|---|---|
| `site_id`, `date_range` | required | As of a report. |
| `from` | required | Where it starts: a step, as of a funnel. It is followed from the first time that a visit did it. |
| `direction` | | `"forward"`, the default, or `"backward"`. |
| `depth` | | So many steps: 1 to 5; by default 3. |
| `branches` | | So many stops, the commonest, are told at each step: 1 to 50; by default 5. To the power of `depth` it is 10000 at most. |
| `of` | | What is a stop: `"both"` pages and custom events, the default; `"pages"`; `"events"`. |
| `filters` | | As of a funnel. |

```json
{
  "results": {
    "name": "/pricing", "visits": 200, "ended": 80, "others": 10,
    "next": [
      { "page": "/signup", "visits": 70, "ended": 20, "others": 0, "next": [{ "event": "Signup", "visits": 50 }] },
      { "page": "/", "visits": 40, "ended": 40, "others": 0, "next": [] }
    ]
  },
  "meta": {},
  "query": { "site_id": "example.com", "…": "…" }
}
```

Of the `visits` that came to a stop so many `ended` there, so many went on to each of the `next`, and the rest to
`others`. The last step tells of `visits` alone. Backward it is `began` and `previous`. A stop that repeats directly is one.

"##;
