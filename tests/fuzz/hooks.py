"""What makes the fuzzer's requests meaningful: most of them are about the site that there is."""

import atexit
import collections
import json
import os

import schemathesis

SITE = "example.com"
answers = collections.Counter()


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """A list is a line each; what is none is sent as it is."""
    if isinstance(value, list):
        return "\n".join(json.dumps(item) for item in value).encode()
    return json.dumps(value).encode()


@schemathesis.hook
def after_call(context, case, response):
    answers[f"{case.method} {case.operation.path} {response.status_code}"] += 1


@atexit.register
def tell():
    """For the runner, which wants to know that not everything was refused."""
    if path := os.environ.get("FUZZ_ANSWERS"):
        with open(path, "w") as file:
            json.dump(answers, file, indent=1)


def is_any_other(value: object) -> bool:
    """Some keep the site that was made up: that it is refused is an answer, too."""
    return not isinstance(value, str) or value.startswith("0")


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and not is_any_other(body.get("site_id")):
        return body | {"site_id": SITE}
    if isinstance(body, list):
        return [line | {"site": SITE} if isinstance(line, dict) else line for line in body]
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
