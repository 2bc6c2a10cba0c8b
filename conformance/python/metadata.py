"""Conformance of the metadata service with the vendor's Python credential libraries.

alibabacloud-credentials, and the ecs_ram_role signer of aliyun-python-sdk-core,
get the credentials of a role that is attached here, and call ECS with them. The
one argument says how they are led to the server:

    uri      ALIBABA_CLOUD_CREDENTIALS_URI
    proxy    HTTP_PROXY, for a server that runs with --metadata-default PLAIN
    address  100.100.100.200, which scripts/as-instance makes the server's

Run against a freshly started server with --credential-lifetime 2m, which is under
every library's margin, so that each call asks again.
"""

import json
import logging
import os
import sys
import urllib.request

from alibabacloud_credentials.client import Client as Credentials
from alibabacloud_credentials.models import Config as CredentialsConfig
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.auth.credentials import EcsRamRoleCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

WAY = sys.argv[1] if len(sys.argv) == 2 else ""
if WAY not in ("uri", "proxy", "address"):
    sys.exit("usage: metadata.py uri|proxy|address")

NAME = f"python-credentials/{WAY}"
ENDPOINT = os.environ["ECSIM_ENDPOINT"]
PLAIN = "i-bp1ecsim00000plain01"
ROLE = "batch-role"
REGION = "cn-hangzhou"

failed = False
logging.disable()  # what the libraries say of their margins


def check(text, good, detail=""):
    global failed
    failed = failed or not good
    print(f"{'ok' if good else 'not ok'} {NAME}: {text}" + ("" if good else f": {detail}"), flush=True)


def new_client(**key):
    return Client(Config(endpoint=ENDPOINT, protocol="http", region_id=REGION, **key))


owner = new_client(access_key_id="test", access_key_secret="test")
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def detach():
    owner.detach_instance_ram_role(models.DetachInstanceRamRoleRequest(
        region_id=REGION, instance_ids=json.dumps([PLAIN])))


def advance(by):
    request = urllib.request.Request(f"http://{ENDPOINT}/_ecsim/clock", json.dumps({"advance": by}).encode())
    direct.open(request).close()


def through_the_way(call):
    """Only what a library does to get credentials goes by the proxy, not the calls of ECS."""
    if WAY == "proxy":
        os.environ["HTTP_PROXY"] = os.environ["http_proxy"] = f"http://{ENDPOINT}"
    try:
        return call()
    finally:
        os.environ.pop("HTTP_PROXY", None)
        os.environ.pop("http_proxy", None)


def triple(credential):
    return credential.access_key_id, credential.access_key_secret, credential.security_token


def total(key):
    """How many instances a triple sees, or the code that refuses it."""
    key_id, secret, token = key
    client = new_client(access_key_id=key_id, access_key_secret=secret, security_token=token)
    try:
        return client.describe_instances(models.DescribeInstancesRequest(region_id=REGION)).body.total_count
    except AlibabaCloudException as error:
        return error.code


owner.attach_instance_ram_role(models.AttachInstanceRamRoleRequest(
    region_id=REGION, instance_ids=json.dumps([PLAIN]), ram_role_name=ROLE))

if WAY == "uri":
    uri = f"http://{ENDPOINT}/_ecsim/instances/{PLAIN}/credentials"
    library = Credentials(CredentialsConfig(type="credentials_uri", credentials_uri=uri))
else:
    library = Credentials(CredentialsConfig(type="ecs_ram_role"))

first = triple(through_the_way(library.get_credential))
check("the library gets the credentials of the role", first[0].startswith("STS."), first[0])
check("they sign a call that the role allows", total(first) == 5, total(first))
again = triple(through_the_way(library.get_credential))
check("a second read answers the same", again == first, again[0])

advance("3m")
check("three minutes later they have expired", total(first) == "InvalidSecurityToken.Expired", total(first))
second = triple(through_the_way(library.get_credential))
check("the library's next ones are others, and pass", second != first and total(second) == 5, total(second))

if WAY != "uri":
    client = AcsClient(region_id=REGION, credential=EcsRamRoleCredential(ROLE))
    request = CommonRequest(domain=ENDPOINT, version="2014-05-26", action_name="DescribeInstances")
    request.add_query_param("RegionId", REGION)
    answer = json.loads(through_the_way(lambda: client.do_action_with_exception(request)))
    check("the core library calls as the role, without a token", answer["TotalCount"] == 5, answer)

detach()
try:
    with direct.open(f"http://{ENDPOINT}/_ecsim/instances/{PLAIN}/latest/meta-data/ram/security-credentials/"):
        status = 200
except urllib.error.HTTPError as error:
    status = error.code
check("once the role is detached the next read is 404", status == 404, status)
if WAY != "uri":
    kept = triple(through_the_way(library.get_credential))
    check("the library keeps what it has", kept == second, kept[0])
    fresh = Credentials(CredentialsConfig(type="ecs_ram_role"))
    try:
        got = triple(through_the_way(fresh.get_credential))
    except Exception as error:  # its own classes differ from version to version
        got = str(error)
    check("a new one fails as on an instance without a role", "HttpCode=404" in got, got)

sys.exit(failed)
