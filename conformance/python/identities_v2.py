"""Conformance of RAM and STS with the second-generation Python SDK.

alibabacloud-ram20150501, alibabacloud-sts20150401 and alibabacloud-ecs20140526: typed models. The one argument
chooses the signature, as for v2.py.

Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 python identities_v2.py acs3
"""

import re
import sys

import alibabacloud_ecs20140526.models
import alibabacloud_ram20150501.models
import alibabacloud_sts20150401.models
from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_ram20150501.client import Client as Ram
from alibabacloud_sts20150401.client import Client as Sts

from checks import ENDPOINT, REGION, equal, run
from client_v2 import new_config
from identities import Identities
from sdk_v2 import MODE, SIGNATURE_ALGORITHM, error_of, is_refusal


def send(client, models, action, parameters):
    """The typed call of an action, its parameters and its answer by their names on the wire."""
    method = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
    kind = getattr(models, f"{action}Request", None)
    answer = method(kind().from_map(parameters)) if kind else method()
    return answer.body.to_map()


class Client:
    def __init__(self, access_key_id, access_key_secret, security_token=None):
        config = new_config(ENDPOINT, access_key_id, access_key_secret, security_token, SIGNATURE_ALGORITHM)
        self.clients = Ecs(config), Ram(config), Sts(config)

    def ecs(self, action, **parameters):
        parameters = {"RegionId": REGION, **parameters}
        return send(self.clients[0], alibabacloud_ecs20140526.models, action, parameters)

    def ram(self, action, **parameters):
        return send(self.clients[1], alibabacloud_ram20150501.models, action, parameters)

    def sts(self, action, **parameters):
        return send(self.clients[2], alibabacloud_sts20150401.models, action, parameters)

    def refused(self, refusal, product, action, **parameters):
        error = error_of(getattr(self, product), action, **parameters)
        is_refusal(error, *refusal)
        equal("AccessDeniedDetail in the body", error.data.get("AccessDeniedDetail"), error.access_denied_detail)
        return error.access_denied_detail


if __name__ == "__main__":
    sys.exit(run(f"python-v2/{MODE}", Identities(Client).checks()))
