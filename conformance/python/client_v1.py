"""The client of v1.py. The README shows what is between the marks."""

# README: begin
from aliyunsdkcore.client import AcsClient


def new_client(endpoint, access_key_id, access_key_secret):
    client = AcsClient(access_key_id, access_key_secret, "cn-hangzhou")
    client.add_endpoint("cn-hangzhou", "Ecs", endpoint)  # plain HTTP is this SDK's default
    return client
# README: end
