"""Conformance of the server with the second-generation Python SDK.

alibabacloud-ecs20140526 on alibabacloud-tea-openapi: typed models, POST with
the parameters in the query. The one argument chooses the signature:

    acs3    ACS3-HMAC-SHA256 in the Authorization header, the SDK's default
    v1      the older signature parameters (signature_algorithm='v2')

Run against a freshly started server: ECSIM_ENDPOINT=127.0.0.1:4580 python v2.py acs3
"""

import json
import sys

from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from checks import (
    BATCH, CLASSIC, ENDPOINT, PLAIN, REGION, ROLE, UNKNOWN, WEB01, WEB02,
    equal, is_request_id, run,
)
from client_v2 import new_client
from sdk_v2 import MODE, SIGNATURE_ALGORITHM, error_of, is_refusal

NAME = f"python-v2/{MODE}"
client = new_client(ENDPOINT, "test", "test", signature_algorithm=SIGNATURE_ALGORITHM)


# -- calls -------------------------------------------------------------------

def describe_regions(client=client):
    return client.describe_regions(models.DescribeRegionsRequest()).body


def describe_instances(**filters):
    return client.describe_instances(
        models.DescribeInstancesRequest(region_id=REGION, **filters)).body


def attach(instance_ids, role):
    return client.attach_instance_ram_role(models.AttachInstanceRamRoleRequest(
        region_id=REGION, instance_ids=json.dumps(instance_ids), ram_role_name=role)).body


def detach(instance_ids, role=None):
    return client.detach_instance_ram_role(models.DetachInstanceRamRoleRequest(
        region_id=REGION, instance_ids=json.dumps(instance_ids), ram_role_name=role)).body


def roles_of(instance_ids):
    """The roles by DescribeInstanceRamRole: a list of (instance id, role name)."""
    answer = client.describe_instance_ram_role(models.DescribeInstanceRamRoleRequest(
        region_id=REGION, instance_ids=json.dumps(instance_ids))).body
    entries = answer.instance_ram_role_sets.instance_ram_role_set
    equal("TotalCount", answer.total_count, len(entries))
    return [(entry.instance_id, entry.ram_role_name) for entry in entries]


# -- the checks, in the order in which they run ------------------------------

def regions():
    """DescribeRegions lists cn-hangzhou and cn-beijing"""
    ids = [region.region_id for region in describe_regions().regions.region]
    equal("cn-hangzhou listed", "cn-hangzhou" in ids, True)
    equal("cn-beijing listed", "cn-beijing" in ids, True)


def paging():
    """DescribeInstances in pages of 2 gives the 5 instances in order, each once"""
    pages = []
    for number in (1, 2, 3):
        answer = describe_instances(page_number=number, page_size=2)
        equal("TotalCount", answer.total_count, 5)
        equal("PageNumber", answer.page_number, number)
        equal("PageSize", answer.page_size, 2)
        pages.append([instance.instance_id for instance in answer.instances.instance])
    equal("pages", pages, [[WEB01, WEB02], [BATCH, PLAIN], [CLASSIC]])


def attaching():
    """AttachInstanceRamRole puts web-role on an instance without a role"""
    equal("before", roles_of([PLAIN]), [(PLAIN, "")])
    answer = attach([PLAIN], ROLE)
    is_request_id("RequestId", answer.request_id)
    equal("RamRoleName", answer.ram_role_name, ROLE)
    equal("TotalCount", answer.total_count, 1)
    equal("FailCount", answer.fail_count, 0)
    results = answer.attach_instance_ram_role_results.attach_instance_ram_role_result
    equal("results", [result.to_map() for result in results], [
        {"Code": "200", "Message": "success", "InstanceId": PLAIN, "Success": True},
    ])
    equal("after", roles_of([PLAIN]), [(PLAIN, ROLE)])


def detaching():
    """DetachInstanceRamRole takes it off again"""
    answer = detach([PLAIN], ROLE)
    is_request_id("RequestId", answer.request_id)
    equal("RamRoleName", answer.ram_role_name, ROLE)
    equal("TotalCount", answer.total_count, 1)
    equal("FailCount", answer.fail_count, 0)
    results = answer.detach_instance_ram_role_results.detach_instance_ram_role_result
    equal("results", [result.to_map() for result in results], [{
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
    equal("TotalCount", answer.total_count, 2)
    equal("FailCount", answer.fail_count, 1)
    results = answer.detach_instance_ram_role_results.detach_instance_ram_role_result
    equal("results", [result.to_map() for result in results], [{
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
    stranger = new_client(ENDPOINT, "test", "wrong", signature_algorithm=SIGNATURE_ALGORITHM)
    error = error_of(describe_regions, stranger)
    if MODE == "acs3":
        code = "SignatureDoesNotMatch"
        text = "Specified signature does not match our calculation."
        echo = " server StringToSign is [ACS3-HMAC-SHA256\n"
    else:
        code = "IncompleteSignature"
        text = "The request signature does not conform to Aliyun standards."
        echo = " server string to sign is:POST&%2F&"
    message = error.data["Message"]
    equal("message", message[:len(text + echo)], text + echo)
    is_refusal(error, 400, code, message)


def special_characters():
    """a filter with reserved and non-ASCII characters is signed alike on both sides"""
    answer = describe_instances(instance_name="Zürich 北京 +*~%20&=/'()!")
    equal("TotalCount", answer.total_count, 0)
    equal("instances", answer.instances.instance, [])


def location():
    """Location DescribeEndpoints, called without a model, names this server"""
    answer = client.call_api(
        Params(action="DescribeEndpoints", version="2015-06-12", protocol="HTTP", method="POST",
               pathname="/", auth_type="AK", style="RPC",
               req_body_type="formData", body_type="json"),
        OpenApiRequest(query={"Id": REGION, "ServiceCode": "ecs", "Type": "openAPI"}),
        RuntimeOptions(),
    )
    equal("status", answer["statusCode"], 200)
    endpoint = answer["body"]["Endpoints"]["Endpoint"][0]
    equal("Endpoint", endpoint["Endpoint"], ENDPOINT)
    equal("Id", endpoint["Id"], REGION)
    equal("SerivceCode", endpoint["SerivceCode"], "ecs")  # so spelt on the wire
    equal("Type", endpoint["Type"], "openAPI")


CHECKS = [
    regions, paging, attaching, detaching, unknown_instance, mixed_batch,
    classic_network, wrong_secret, special_characters, location,
]


if __name__ == "__main__":
    sys.exit(run(NAME, CHECKS))
