"""What Schemathesis does around a request, and a check of our own."""

import re
from urllib.parse import urlsplit

import requests
import schemathesis
from schemathesis.core import NOT_SET
from urllib3 import Retry

SECONDS_MAX = 180


UNTIL_IT_IS_THERE = Retry(
    total=None,
    connect=0,
    read=False,
    redirect=0,
    status=8,
    status_forcelist=[503, 504],
    allowed_methods=None,
    respect_retry_after_header=False,
    backoff_factor=0.5,
    backoff_max=10,
    raise_on_status=False,
)


class PatientAdapter(requests.adapters.HTTPAdapter):
    """Sends a request again that a busy machine could not answer in time, as a client does: 503 and 504 ask for
    it. What stays away is a failure. 503 of a health page is its answer."""

    def send(self, request, **options):
        is_health = request.path_url.startswith("/health")
        self.max_retries = Retry(0, read=False) if is_health else UNTIL_IT_IS_THERE
        return super().send(request, **options)


requests.sessions.HTTPAdapter = PatientAdapter


@schemathesis.hook
def before_call(context, case, kwargs):
    """Takes the body off a GET. Where a path has no GET, the tool tries it with the body of another method. The
    bank answers 400 to any GET with a body, before it looks at the path: hops before it may not see where such
    a request ends. Also says to the session of a browser that a page of the bank asks."""
    if case.method == "GET":
        case.body = NOT_SET
        case.media_type = None
    if case.path.startswith("/api/session"):
        url = urlsplit(case.operation.base_url)
        case.headers["Origin"] = f"{url.scheme}://{url.netloc}"


@schemathesis.hook
def after_call(context, case, response):
    """Lifts a stop of the ledger as soon as it is made: other requests need postings. All that are open, because a
    request that was sent again may have made two."""
    if case.operation.label != "POST /api/ledger/stop" or response.status_code != 201:
        return
    ledger = response.request.url.rsplit("/stop", 1)[0]
    options = {
        "headers": {"Authorization": response.request.headers["Authorization"]},
        "timeout": SECONDS_MAX,
    }
    for stop in requests.get(f"{ledger}/stops?open=true", **options).json()["items"]:
        reason = "The answer has been seen"
        requests.post(f"{ledger}/resume", json={"stop_id": stop["id"], "reason": reason}, **options)


@schemathesis.check
def right_input_is_refused_by_a_rule_only(ctx, response, case):
    """Fails if a request that fits its schema gets a 400 with a fault that is none of the contract's `x-rules`.
    Then the bank holds requests against another schema than the contract shows."""
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    rules = case.operation.schema.raw_schema["components"]["schemas"]["FieldError"]["x-rules"]
    problem = response.json()
    faults = problem.get("errors", [])
    others = [fault for fault in faults if not any(says(rule, fault) for rule in rules)]
    if others or not faults:
        raise AssertionError(f"{case.method} {case.path} refused what fits its schema: {others or problem}")


def says(rule, fault):
    """Whether a fault is one of a rule."""
    return all(re.fullmatch(rule[name], fault[name]) for name in ("path", "message"))
