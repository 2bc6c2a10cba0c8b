"""What the programs share: the server, its default data, comparing, and running checks."""

import json
import os
import re
import urllib.request

ENDPOINT = os.environ["ECSIM_ENDPOINT"]
REGION = "cn-hangzhou"
ACCOUNT = "1000000000000001"

WEB01 = "i-bp1ecsim0000000web01"
WEB02 = "i-bp1ecsim0000000web02"
BATCH = "i-bp1ecsim0000batch001"
PLAIN = "i-bp1ecsim00000plain01"
CLASSIC = "i-bp1ecsim0classic0001"
UNKNOWN = "i-bp1doesnotexist000001"
ROLE = "web-role"


def equal(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


def matches(what, pattern, got):
    if not re.fullmatch(pattern, got or ""):
        raise AssertionError(f"{what}: not {pattern}: {got!r}")


def is_request_id(what, got):
    """An upper-case UUID."""
    matches(what, r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", got)


def raised(exception, function, *arguments, **options):
    """The exception that the SDK raises for a refused call."""
    try:
        answer = function(*arguments, **options)
    except exception as error:
        return error
    raise AssertionError(f"no error, but the answer {answer!r}")


def faults(method, rules=None):
    """The faults of the server once those are set, or without any as they are."""
    body = None if rules is None else json.dumps(rules).encode()
    request = urllib.request.Request(f"http://{ENDPOINT}/_ecsim/chaos/faults", body, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["faults"]


def run(name, checks):
    """Runs checks in order, each told by its first line of documentation; the program's exit status."""
    failures = 0
    for check in checks:
        try:
            check()
        except Exception as error:
            failures += 1
            why = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"not ok {name}: {check.__doc__}: {why}", flush=True)
        else:
            print(f"ok {name}: {check.__doc__}", flush=True)
    return 1 if failures else 0
