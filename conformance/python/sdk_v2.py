"""What v2.py and identities_v2.py share: the signature of their argument, and refusals as this SDK raises them."""

import sys

from alibabacloud_tea_openapi.exceptions import AlibabaCloudException

from checks import equal, is_request_id, raised

MODES = {"acs3": None, "v1": "v2"}
if len(sys.argv) != 2 or sys.argv[1] not in MODES:
    sys.exit(f"usage: {sys.argv[0]} acs3|v1")
MODE = sys.argv[1]
SIGNATURE_ALGORITHM = MODES[MODE]


def error_of(function, *arguments, **options):
    return raised(AlibabaCloudException, function, *arguments, **options)


def is_refusal(error, status, code, message):
    equal("exception", type(error).__name__, "ClientException")
    equal("status", error.status_code, status)
    equal("code", error.code, code)
    is_request_id("request id", error.request_id)
    # The SDK puts the status before the message and the request id after it.
    equal("message", error.message, f"code: {status}, {message} request id: {error.request_id}")
