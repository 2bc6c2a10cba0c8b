"""Conformance of RAM and STS with the first-generation Python SDK: V1 signature, POST, parameters in the query.

The one argument chooses how a request is written:

    typed     the classes of aliyun-python-sdk-ram, aliyun-python-sdk-sts and aliyun-python-sdk-ecs
    common    CommonRequest of aliyun-python-sdk-core

Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 python identities_v1.py typed
"""

import importlib
import json
import sys
import warnings

from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from checks import ENDPOINT, REGION, run
from client_v1 import new_client
from identities import Identities
from sdk_v1 import error_of, is_refusal, send


def typed(product, action, parameters):
    version = {"ecs": "v20140526", "ram": "v20150501", "sts": "v20150401"}[product]
    module = importlib.import_module(f"aliyunsdk{product}.request.{version}.{action}Request")
    request = getattr(module, f"{action}Request")()
    request.set_endpoint(ENDPOINT)
    request.set_protocol_type("http")  # those of RAM and STS ask for HTTPS
    for name, value in parameters.items():
        getattr(request, f"set_{name}")(value)
    return request


def common(product, action, parameters):
    version = {"ecs": "2014-05-26", "ram": "2015-05-01", "sts": "2015-04-01"}[product]
    request = CommonRequest(domain=ENDPOINT, version=version, action_name=action)
    request.set_method("POST")
    for name, value in parameters.items():
        request.add_query_param(name, value)
    return request


MODES = {"typed": typed, "common": common}
if len(sys.argv) != 2 or sys.argv[1] not in MODES:
    sys.exit("usage: identities_v1.py typed|common")
MODE = sys.argv[1]
new_request = MODES[MODE]


class Client:
    def __init__(self, access_key_id, access_key_secret, security_token=None):
        if security_token is None:
            self.client = new_client(ENDPOINT, access_key_id, access_key_secret)
        else:
            credential = StsTokenCredential(access_key_id, access_key_secret, security_token)
            self.client = AcsClient(region_id=REGION, credential=credential)

    def call(self, product, action, parameters):
        return send(new_request(product, action, parameters), self.client)

    def ecs(self, action, **parameters):
        return self.call("ecs", action, parameters)

    def ram(self, action, **parameters):
        return self.call("ram", action, parameters)

    def sts(self, action, **parameters):
        return self.call("sts", action, parameters)

    def refused(self, refusal, product, action, **parameters):
        is_refusal(error_of(self.call, product, action, parameters), *refusal)
        # The exception has no AccessDeniedDetail, but the SDK hands out the body that it stands in.
        request = new_request(product, action, parameters)
        request.set_accept_format("json")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            _, _, body = self.client.get_response(request)
        return json.loads(body).get("AccessDeniedDetail")


if __name__ == "__main__":
    sys.exit(run(f"python-v1/{MODE}", Identities(Client).checks()))
