"""The clients of v2.py and identities_v2.py. The README shows what is between the marks."""

# README: begin
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config


def new_config(endpoint, access_key_id, access_key_secret, security_token=None, signature_algorithm=None):
    return Config(
        access_key_id=access_key_id,
        access_key_secret=access_key_secret,
        security_token=security_token,  # None for a permanent key
        endpoint=endpoint,
        protocol="http",
        signature_algorithm=signature_algorithm,  # None for ACS3, "v2" for V1 signatures
    )


def new_client(*settings, **options):
    return Client(new_config(*settings, **options))
# README: end
