//! `ecsim env`: what to export or set for each SDK and tool (protocol.md 13, clients.md 3 and 6).

use crate::world::{NamedInstance, Namespace};

/// Shell exports for what reads variables, comments for what does not, so that
/// `eval "$(ecsim env)"` works. With an instance, for a program that signs with the instance's role.
pub(super) fn text(url: &str, namespace: &Namespace, instance: Option<&NamedInstance>) -> String {
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let key = if namespace.is_default() { "test".to_owned() } else { format!("test@{namespace}") };
    let template = match instance {
        None => OWNER.replace("{settings}", SETTINGS),
        Some(id) => INSTANCE.replace("{settings}", SETTINGS).replace("{instance}", &id.to_string()),
    };
    let template = template.replace("{key}", &key);
    template.replace("{url}", url).replace("{authority}", authority).replace("{host}", host).replace("{port}", port)
}

/// The names and values that [`text`] exports.
pub(super) fn exports(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='))
}

/// The names of the key pair in [`text`], for the SDKs and for Terraform.
pub(super) const KEY_PAIR: [&str; 4] =
    ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"];

const OWNER: &str = r"# Key pair and region of the default seed; read by every SDK's default credential chain.
export ALIBABA_CLOUD_ACCESS_KEY_ID={key}
export ALIBABA_CLOUD_ACCESS_KEY_SECRET=test
export ALIBABA_CLOUD_REGION_ID=cn-hangzhou
export ALICLOUD_ACCESS_KEY={key}
export ALICLOUD_SECRET_KEY=test
export ALICLOUD_REGION=cn-hangzhou

{settings}";

/// imds.md 6: the host of the metadata service is a constant in every library; only this variable leads elsewhere.
const INSTANCE: &str = r"# The credentials of the role of {instance}: read last by the default credential chain of Python, Node, Go and Java,
# so ALIBABA_CLOUD_ACCESS_KEY_ID and a profile must not be set.
export ALIBABA_CLOUD_CREDENTIALS_URI={url}/_ecsim/instances/{instance}/credentials
export ALIBABA_CLOUD_ECS_METADATA_DISABLED=true
export ALIBABA_CLOUD_REGION_ID=cn-hangzhou

# Or let the libraries ask for metadata as they do on an instance (without the two variables above):
# - Python and Go by a proxy, of an emulator that runs with --metadata-default {instance}:
#     HTTP_PROXY={url}
#   Java with -Dhttp.proxyHost={host} -Dhttp.proxyPort={port}; Node takes no proxy.
# - all of them in a network namespace where 100.100.100.200 is the emulator (as root):
#     scripts/as-instance {instance} COMMAND
# - all of them in a container beside the emulator: compose.metadata.yaml

{settings}";

const SETTINGS: &str = r#"# aliyun CLI: add --insecure to each call, which selects http.
#   aliyun ecs DescribeRegions --insecure
export ALIBABA_CLOUD_ENDPOINT={authority}

# Terraform: protocol has no variable, so the provider block needs
#   provider "alicloud" {
#     region                 = "cn-hangzhou"
#     protocol               = "HTTP"
#     account_type           = "Domestic"
#     skip_region_validation = true
#     endpoints {
#       ecs      = "{authority}"
#       location = "{authority}"
#     }
#   }
export ALIBABA_CLOUD_ENDPOINT_ECS={authority}
export ECS_ENDPOINT={authority}
export LOCATION_ENDPOINT={authority}

# The SDKs read no endpoint from the environment; set it in code.
# Python v1 (aliyun-python-sdk-core):
#   client = AcsClient("{key}", "test", "cn-hangzhou", port={port})
#   client.add_endpoint("cn-hangzhou", "Ecs", "{host}")
# Python v2 (alibabacloud-ecs20140526):
#   Config(access_key_id="{key}", access_key_secret="test", endpoint="{authority}", protocol="http")
# Node pop-core (the scheme is needed):
#   new RPCClient({ accessKeyId: "{key}", accessKeySecret: "test", endpoint: "{url}", apiVersion: "2014-05-26" })
# Node v2 (@alicloud/ecs20140526; no scheme in the endpoint):
#   new Config({ accessKeyId: "{key}", accessKeySecret: "test", endpoint: "{authority}", protocol: "http" })
# Go v1 (alibaba-cloud-sdk-go):
#   client.Domain = "{authority}", made with sdk.NewConfig().WithScheme("HTTP")
# Go v2 (alibabacloud-go/ecs-20140526):
#   &openapi.Config{Endpoint: tea.String("{authority}"), Protocol: tea.String("http")}
# Java v1 (aliyun-java-sdk-core):
#   DefaultProfile.addEndpoint("cn-hangzhou", "Ecs", "{authority}"); request.setSysProtocol(ProtocolType.HTTP)
# Java v2 (com.aliyun:ecs20140526):
#   new Config().setEndpoint("{authority}").setProtocol("http")
# PHP v1 and C#: AlibabaCloud::addHost("Ecs", "{authority}"); profile.AddEndpoint(...). Not tried.
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_export_a_comment_or_empty() {
        let instance = NamedInstance::parse("i-1@t");
        for text in
            [None, instance.as_ref()].map(|instance| text("http://127.0.0.1:4580", &Namespace::DEFAULT, instance))
        {
            for line in text.lines() {
                assert!(line.is_empty() || line.starts_with('#') || line.starts_with("export "), "{line}");
            }
            for place in ["{url}", "{authority}", "{host}", "{port}", "{key}", "{instance}", "{settings}"] {
                assert!(!text.contains(place), "{place}");
            }
            assert!(text.contains("export ALIBABA_CLOUD_ENDPOINT=127.0.0.1:4580\n"));
        }
    }

    #[test]
    fn for_an_instance_nothing_exports_a_key_pair() {
        let text = text("http://127.0.0.1:4580", &Namespace::DEFAULT, NamedInstance::parse("i-1@t").as_ref());
        assert!(!text.contains("export ALIBABA_CLOUD_ACCESS_KEY") && !text.contains("export ALICLOUD_"));
        let uri = "export ALIBABA_CLOUD_CREDENTIALS_URI=http://127.0.0.1:4580/_ecsim/instances/i-1@t/credentials\n";
        assert!(text.contains(uri));
    }
}
