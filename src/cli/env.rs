//! `ecsim env`: what to export or set for each SDK and tool (protocol.md 13, clients.md 3 and 6).

/// Shell exports for what reads variables, comments for what does not, so that
/// `eval "$(ecsim env)"` works.
pub(super) fn text(url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    TEMPLATE.replace("{url}", url).replace("{authority}", authority).replace("{host}", host).replace("{port}", port)
}

const TEMPLATE: &str = r#"# Key pair and region of the default seed; read by every SDK's default credential chain.
export ALIBABA_CLOUD_ACCESS_KEY_ID=test
export ALIBABA_CLOUD_ACCESS_KEY_SECRET=test
export ALIBABA_CLOUD_REGION_ID=cn-hangzhou

# aliyun CLI: add --insecure to each call, which selects http.
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
export ALICLOUD_ACCESS_KEY=test
export ALICLOUD_SECRET_KEY=test
export ALICLOUD_REGION=cn-hangzhou
export ALIBABA_CLOUD_ENDPOINT_ECS={authority}
export ECS_ENDPOINT={authority}
export LOCATION_ENDPOINT={authority}

# The SDKs read no endpoint from the environment; set it in code.
# Python v1 (aliyun-python-sdk-core):
#   client = AcsClient("test", "test", "cn-hangzhou", port={port})
#   client.add_endpoint("cn-hangzhou", "Ecs", "{host}")
# Python v2 (alibabacloud-ecs20140526):
#   Config(access_key_id="test", access_key_secret="test", endpoint="{authority}", protocol="http")
# Node pop-core (the scheme is needed):
#   new RPCClient({ accessKeyId: "test", accessKeySecret: "test", endpoint: "{url}", apiVersion: "2014-05-26" })
# Node v2 (@alicloud/ecs20140526; no scheme in the endpoint):
#   new Config({ accessKeyId: "test", accessKeySecret: "test", endpoint: "{authority}", protocol: "http" })
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
        let text = text("http://127.0.0.1:4580");
        for line in text.lines() {
            assert!(line.is_empty() || line.starts_with('#') || line.starts_with("export "), "{line}");
        }
        assert!(!text.contains("{url}") && !text.contains("{authority}") && !text.contains("{port}"));
        assert!(text.contains("export ALIBABA_CLOUD_ENDPOINT=127.0.0.1:4580\n"));
    }
}
