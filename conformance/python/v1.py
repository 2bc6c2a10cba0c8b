"""Conformance of the server with the first-generation Python SDK.

aliyun-python-sdk-core and aliyun-python-sdk-ecs: typed requests, V1 signature,
POST with every parameter in the query.

Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 python v1.py
"""

import json
import sys

from aliyunsdkcore.request import CommonRequest
from aliyunsdkecs.request.v20140526.AttachInstanceRamRoleRequest import AttachInstanceRamRoleRequest
from aliyunsdkecs.request.v20140526.DescribeInstanceRamRoleRequest import DescribeInstanceRamRoleRequest
from aliyunsdkecs.request.v20140526.DescribeInstancesRequest import DescribeInstancesRequest
from aliyunsdkecs.request.v20140526.DescribeRegionsRequest import DescribeRegionsRequest
from aliyunsdkecs.request.v20140526.DetachInstanceRamRoleRequest import DetachInstanceRamRoleRequest

from checks import (
    BATCH, CLASSIC, ENDPOINT, PLAIN, REGION, ROLE, UNKNOWN, WEB01, WEB02,
    equal, faults, is_request_id, run,
)
from client_v1 import new_client
from sdk_v1 import error_of, is_refusal, send

NAME = "python-v1/default"
client = new_client(ENDPOINT, "test", "test")


# -- calls -------------------------------------------------------------------

def describe_regions(client=client):
    return send(DescribeRegionsRequest(), client)


def describe_instances(page_number=None, page_size=None, name=None):
    request = DescribeInstancesRequest()
    if page_number is not None:
        request.set_PageNumber(page_number)
    if page_size is not None:
        request.set_PageSize(page_size)
    if name is not None:
        request.set_InstanceName(name)
    return send(request, client)


def attach(instance_ids, role):
    request = AttachInstanceRamRoleRequest()
    request.set_InstanceIds(json.dumps(instance_ids))
    request.set_RamRoleName(role)
    return send(request, client)


def detach(instance_ids, role=None):
    request = DetachInstanceRamRoleRequest()
    request.set_InstanceIds(json.dumps(instance_ids))
    if role is not None:
        request.set_RamRoleName(role)
    return send(request, client)


def roles_of(instance_ids):
    """The roles by DescribeInstanceRamRole: a list of (instance id, role name)."""
    request = DescribeInstanceRamRoleRequest()
    request.set_InstanceIds(json.dumps(instance_ids))
    answer = send(request, client)
    entries = answer["InstanceRamRoleSets"]["InstanceRamRoleSet"]
    equal("TotalCount", answer["TotalCount"], len(entries))
    return [(entry["InstanceId"], entry["RamRoleName"]) for entry in entries]


# -- the checks, in the order in which they run ------------------------------

def regions():
    """DescribeRegions lists cn-hangzhou and cn-beijing"""
    ids = [region["RegionId"] for region in describe_regions()["Regions"]["Region"]]
    equal("cn-hangzhou listed", "cn-hangzhou" in ids, True)
    equal("cn-beijing listed", "cn-beijing" in ids, True)


def paging():
    """DescribeInstances in pages of 2 gives the 5 instances in order, each once"""
    pages = []
    for number in (1, 2, 3):
        answer = describe_instances(page_number=number, page_size=2)
        equal("TotalCount", answer["TotalCount"], 5)
        equal("PageNumber", answer["PageNumber"], number)
        equal("PageSize", answer["PageSize"], 2)
        pages.append([instance["InstanceId"] for instance in answer["Instances"]["Instance"]])
    equal("pages", pages, [[WEB01, WEB02], [BATCH, PLAIN], [CLASSIC]])


def attaching():
    """AttachInstanceRamRole puts web-role on an instance without a role"""
    equal("before", roles_of([PLAIN]), [(PLAIN, "")])
    answer = attach([PLAIN], ROLE)
    is_request_id("RequestId", answer["RequestId"])
    equal("RamRoleName", answer["RamRoleName"], ROLE)
    equal("TotalCount", answer["TotalCount"], 1)
    equal("FailCount", answer["FailCount"], 0)
    equal("results", answer["AttachInstanceRamRoleResults"]["AttachInstanceRamRoleResult"], [
        {"Code": "200", "Message": "success", "InstanceId": PLAIN, "Success": True},
    ])
    equal("after", roles_of([PLAIN]), [(PLAIN, ROLE)])


def detaching():
    """DetachInstanceRamRole takes it off again"""
    answer = detach([PLAIN], ROLE)
    is_request_id("RequestId", answer["RequestId"])
    equal("RamRoleName", answer["RamRoleName"], ROLE)
    equal("TotalCount", answer["TotalCount"], 1)
    equal("FailCount", answer["FailCount"], 0)
    equal("results", answer["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"], [{
        "Code": "200", "Message": "Success", "InstanceId": PLAIN, "Success": True,
        "InstanceRamRoleSets": {
            "InstanceRamRoleSet": [{"RamRoleName": ROLE, "InstanceId": PLAIN}],
        },
    }])
    equal("after", roles_of([PLAIN]), [(PLAIN, "")])


def unknown_instance():
    """detaching from an unknown instance is refused with 404"""
    is_refusal(error_of(detach, [UNKNOWN], ROLE), 404,
               "InvalidInstanceId.NotFound", "The specified instanceId does not exist.")


def mixed_batch():
    """detaching from a known and an unknown instance gives one result each"""
    answer = detach([WEB01, UNKNOWN])
    equal("TotalCount", answer["TotalCount"], 2)
    equal("FailCount", answer["FailCount"], 1)
    equal("results", answer["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"], [{
        "Code": "200", "Message": "Success", "InstanceId": WEB01, "Success": True,
        "InstanceRamRoleSets": {
            "InstanceRamRoleSet": [{"RamRoleName": ROLE, "InstanceId": WEB01}],
        },
    }, {
        "Code": "InvalidInstanceId.NotFound",
        "Message": "The specified instanceId does not exist.",
        "InstanceId": UNKNOWN, "Success": False,
        "InstanceRamRoleSets": {"InstanceRamRoleSet": []},
    }])
    equal("after", roles_of([WEB01]), [(WEB01, "")])


def classic_network():
    """detaching from an instance of the classic network is refused with 403"""
    is_refusal(error_of(detach, [CLASSIC], ROLE), 403, "InvalidNetworkType.MismatchRamRole",
               "Ram role cannot be applied to instances of Classic network type.")


def wrong_secret():
    """a wrong AccessKey secret is refused with 400"""
    error = error_of(describe_regions, new_client(ENDPOINT, "test", "wrong"))
    equal("status", error.get_http_status(), 400)
    equal("code", error.get_error_code(), "IncompleteSignature")
    text, _, string_to_sign = error.get_error_msg().partition(" server string to sign is:")
    equal("message", text, "The request signature does not conform to Aliyun standards.")
    equal("string to sign", string_to_sign[:9], "POST&%2F&")
    is_request_id("request id", error.get_request_id())


def special_characters():
    """a filter with reserved and non-ASCII characters is signed alike on both sides"""
    answer = describe_instances(name="Zürich 北京 +*~%20&=/'()!")
    equal("TotalCount", answer["TotalCount"], 0)
    equal("instances", answer["Instances"]["Instance"], [])


def location():
    """Location DescribeEndpoints names this server, and the answer can be used"""
    # The SDK's own look-up accepts HTTPS only, so the same call is made by hand.
    request = CommonRequest(domain=ENDPOINT, version="2015-06-12", action_name="DescribeEndpoints")
    request.add_query_param("Id", REGION)
    request.add_query_param("ServiceCode", "ecs")
    request.add_query_param("Type", "openAPI")
    endpoints = send(request, client)["Endpoints"]["Endpoint"]
    equal("Endpoint", endpoints[0]["Endpoint"], ENDPOINT)
    equal("Id", endpoints[0]["Id"], REGION)
    equal("SerivceCode", endpoints[0]["SerivceCode"], "ecs")  # so spelt on the wire
    equal("Type", endpoints[0]["Type"], "openAPI")

    found = new_client(endpoints[0]["Endpoint"], "test", "test")
    is_request_id("RequestId", describe_regions(found)["RequestId"])


def retries():
    """a read that fails twice, once without an answer, succeeds at the third try, and a write is not repeated"""
    faults("POST", [
        {"operation": "DescribeInstances", "times": 1},
        {"operation": "DescribeInstances", "times": 1, "effect": "reset"},
        {"operation": "DetachInstanceRamRole", "times": 1},
    ])
    equal("TotalCount", describe_instances()["TotalCount"], 5)
    is_refusal(error_of(detach, [WEB02], ROLE), 503, "ServiceUnavailable",
               "The request has failed due to a temporary failure of the server.")
    equal("fired", [fault["fired"] for fault in faults("GET")], [1, 1, 1])
    equal("cleared", faults("DELETE"), [])


CHECKS = [
    regions, paging, attaching, detaching, unknown_instance, mixed_batch,
    classic_network, wrong_secret, special_characters, location, retries,
]


if __name__ == "__main__":
    sys.exit(run(NAME, CHECKS))
