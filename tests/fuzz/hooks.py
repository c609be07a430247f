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
    return not isinstance(value, str) or value.startswith(("!", "1"))


def about_the_site(part: object) -> object:
    """A query, a body or parameters, with the site that there is."""
    if isinstance(part, list):
        return [line | {"site": SITE} if isinstance(line, dict) else line for line in part]
    if isinstance(part, dict) and "site_id" in part and not is_any_other(part["site_id"]):
        return part | {"site_id": SITE}
    return part


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is read is about the site that there is; it stays, and so does the fuzzer's token.

    Here and not where cases are made: the fuzzer also learns ids and domains from answers.
    """
    case.body = about_the_site(case.body)
    case.query = about_the_site(case.query)
    parameters = case.path_parameters
    if not isinstance(parameters, dict):
        return
    if case.method.upper() == "GET" and "domain" in parameters and not is_any_other(parameters["domain"]):
        parameters["domain"] = SITE
    if case.method.upper() in ("PUT", "DELETE"):
        kept = (SITE, os.environ["FUZZ_TOKEN_ID"])
        case.path_parameters = {
            name: "other.example" if value in kept else value for name, value in parameters.items()
        }
