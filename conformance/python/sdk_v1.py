"""What v1.py and identities_v1.py share: sending requests, and refusals as this SDK raises them."""

import json

from aliyunsdkcore.acs_exception.exceptions import ServerException

from checks import equal, is_request_id, raised


def send(request, client):
    request.set_accept_format("json")
    return json.loads(client.do_action_with_exception(request))


def error_of(function, *arguments, **options):
    return raised(ServerException, function, *arguments, **options)


def is_refusal(error, status, code, message):
    equal("status", error.get_http_status(), status)
    equal("code", error.get_error_code(), code)
    equal("message", error.get_error_msg(), message)
    is_request_id("request id", error.get_request_id())
