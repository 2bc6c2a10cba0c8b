"""Take the RAM role off an instance: aliyun-python-sdk-core, aliyun-python-sdk-ecs."""

# README: begin
import json
import os

from aliyunsdkcore.client import AcsClient
from aliyunsdkecs.request.v20140526.DetachInstanceRamRoleRequest import DetachInstanceRamRoleRequest

endpoint = os.environ.get("ECSIM_ENDPOINT", "127.0.0.1:4580")

client = AcsClient("test", "test", "cn-hangzhou")
client.add_endpoint("cn-hangzhou", "Ecs", endpoint)  # plain HTTP is this SDK's default

request = DetachInstanceRamRoleRequest()
request.set_accept_format("json")
request.set_InstanceIds(json.dumps(["i-bp1ecsim0000000web01"]))
request.set_RamRoleName("web-role")

answer = json.loads(client.do_action_with_exception(request))
for result in answer["DetachInstanceRamRoleResults"]["DetachInstanceRamRoleResult"]:
    print(result["InstanceId"], result["Code"], result["Message"])
# README: end
