"""Take the RAM role off an instance: alibabacloud-ecs20140526."""

# README: begin
import json
import os

from alibabacloud_ecs20140526.client import Client
from alibabacloud_ecs20140526.models import DetachInstanceRamRoleRequest
from alibabacloud_tea_openapi.utils_models import Config

client = Client(Config(
    access_key_id="test",
    access_key_secret="test",
    endpoint=os.environ.get("ECSIM_ENDPOINT", "127.0.0.1:4580"),
    protocol="http",
))

answer = client.detach_instance_ram_role(DetachInstanceRamRoleRequest(
    region_id="cn-hangzhou",
    instance_ids=json.dumps(["i-bp1ecsim0000000web01"]),
    ram_role_name="web-role",
)).body
for result in answer.detach_instance_ram_role_results.detach_instance_ram_role_result:
    print(result.instance_id, result.code, result.message)
# README: end
