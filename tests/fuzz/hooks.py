"""What makes the fuzzer's requests meaningful: most of them are about the site that there is."""

import schemathesis

SITE = "example.com"


def is_any_other(value: object) -> bool:
    """Some keep the site that was made up: that it is refused is an answer, too."""
    return not isinstance(value, str) or value.startswith("0")


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and not is_any_other(body.get("site_id")):
        return body | {"site_id": SITE}
    return body


@schemathesis.hook
def map_query(context, query):
    if isinstance(query, dict) and not is_any_other(query.get("site_id")):
        return query | {"site_id": SITE}
    return query


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """The site stays."""
    if isinstance(path_parameters, dict) and path_parameters.get("domain") == SITE:
        return path_parameters | {"domain": "other.example"}
    return path_parameters
