package ecsim.conformance;

// README: begin
import com.aliyun.ecs20140526.Client;
import com.aliyun.teaopenapi.models.Config;

final class V2Client {
    static Client create(String endpoint, String accessKeyId, String accessKeySecret, String signatureAlgorithm)
            throws Exception {
        return new Client(config(endpoint, accessKeyId, accessKeySecret, null, signatureAlgorithm));
    }

    static Config config(String endpoint, String accessKeyId, String accessKeySecret, String securityToken,
            String signatureAlgorithm) {
        return new Config()
                .setAccessKeyId(accessKeyId)
                .setAccessKeySecret(accessKeySecret)
                .setSecurityToken(securityToken) // null for a permanent key
                .setRegionId("cn-hangzhou")
                .setEndpoint(endpoint)
                .setProtocol("http")
                .setSignatureAlgorithm(signatureAlgorithm); // null for ACS3, "v2" for V1 signatures
    }
}
// README: end
