"""The client of v2.py. The README shows what is between the marks."""

# README: begin
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config


def new_client(endpoint, access_key_id, access_key_secret, signature_algorithm=None):
    return Client(Config(
        access_key_id=access_key_id,
        access_key_secret=access_key_secret,
        endpoint=endpoint,
        protocol="http",
        signature_algorithm=signature_algorithm,  # None for ACS3, "v2" for V1 signatures
    ))
# README: end
