package ecsim.conformance;

import static ecsim.conformance.Checks.endpoint;
import static ecsim.conformance.Checks.equal;
import static ecsim.conformance.Checks.list;
import static ecsim.conformance.Checks.startsWith;

import com.aliyun.credentials.models.CredentialModel;
import com.aliyun.ecs20140526.Client;
import com.aliyun.ecs20140526.models.AttachInstanceRamRoleRequest;
import com.aliyun.ecs20140526.models.DescribeInstancesRequest;
import com.aliyun.ecs20140526.models.DetachInstanceRamRoleRequest;
import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.models.Config;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/**
 * The credential library (credentials-java) gets the credentials of a role that is attached here,
 * and ecs20140526 calls with them. The one argument says how it is led to the server: uri
 * (ALIBABA_CLOUD_CREDENTIALS_URI), proxy (-Dhttp.proxyHost and -Dhttp.proxyPort, for a server that
 * runs with --metadata-default) or address (100.100.100.200, which scripts/as-instance makes the
 * server's). The server is freshly started with --credential-lifetime 2m: under the library's
 * margin, so that each call asks again.
 */
public final class Metadata {
    private static final String ROLE = "batch-role";
    private static final HttpClient HTTP =
            HttpClient.newBuilder().proxy(HttpClient.Builder.NO_PROXY).build();

    private static CredentialModel first;
    private static CredentialModel second;

    public static void main(String[] args) throws Exception {
        String way = args.length == 1 ? args[0] : "";
        Checks checks = new Checks("java-credentials", way);
        Client owner = V2Client.create(endpoint(), Checks.ACCESS_KEY_ID, Checks.SECRET, null);
        String instanceIds = list(Checks.PLAIN_INSTANCE);
        owner.attachInstanceRamRole(new AttachInstanceRamRoleRequest()
                .setRegionId(Checks.REGION).setInstanceIds(instanceIds).setRamRoleName(ROLE));
        com.aliyun.credentials.Client library = library(way);

        checks.check("the library gets the credentials of the role", () -> {
            first = library.getCredential();
            startsWith("AccessKeyId", first.getAccessKeyId(), "STS.");
        });
        checks.check("they sign a call that the role allows", () -> equal("total", total(first), "5"));
        checks.check("a second read answers the same", () ->
                equal("AccessKeyId", library.getCredential().getAccessKeyId(), first.getAccessKeyId()));
        checks.check("three minutes later they have expired", () -> {
            send(HttpRequest.newBuilder(at("/_ecsim/clock"))
                    .POST(HttpRequest.BodyPublishers.ofString("{\"advance\":\"3m\"}")).build());
            equal("code", total(first), "InvalidSecurityToken.Expired");
        });
        checks.check("the library's next ones are others, and pass", () -> {
            second = library.getCredential();
            equal("the same", second.getAccessKeyId().equals(first.getAccessKeyId()), false);
            equal("total", total(second), "5");
        });
        checks.check("once the role is detached the next read is 404", () -> {
            owner.detachInstanceRamRole(new DetachInstanceRamRoleRequest()
                    .setRegionId(Checks.REGION).setInstanceIds(instanceIds));
            URI roles = at("/_ecsim/instances/" + Checks.PLAIN_INSTANCE
                    + "/latest/meta-data/ram/security-credentials/");
            equal("status", send(HttpRequest.newBuilder(roles).build()), 404);
        });
        if (!way.equals("uri")) {
            checks.check("the library keeps what it has", () ->
                    equal("AccessKeyId", library.getCredential().getAccessKeyId(), second.getAccessKeyId()));
            checks.check("a new one fails as on an instance without a role", () -> {
                String message;
                try {
                    message = library(way).getCredential().getAccessKeyId();
                } catch (Exception e) {
                    message = e.getMessage();
                }
                equal("message", message, "The role name was not found in the instance.");
            });
        }
        Checks.exit();
    }

    private static com.aliyun.credentials.Client library(String way) {
        com.aliyun.credentials.models.Config config = new com.aliyun.credentials.models.Config();
        if (way.equals("uri")) {
            config.setType("credentials_uri");
            config.setCredentialsUri(at("/_ecsim/instances/" + Checks.PLAIN_INSTANCE + "/credentials").toString());
        } else {
            config.setType("ecs_ram_role");
        }
        return new com.aliyun.credentials.Client(config);
    }

    private static URI at(String path) {
        return URI.create("http://" + endpoint() + path);
    }

    private static int send(HttpRequest request) throws Exception {
        return HTTP.send(request, BodyHandlers.discarding()).statusCode();
    }

    /** How many instances a triple sees, or the code that refuses it. */
    private static String total(CredentialModel key) throws Exception {
        Client client = new Client(new Config()
                .setAccessKeyId(key.getAccessKeyId())
                .setAccessKeySecret(key.getAccessKeySecret())
                .setSecurityToken(key.getSecurityToken())
                .setRegionId(Checks.REGION)
                .setEndpoint(endpoint())
                .setProtocol("http"));
        try {
            return client.describeInstances(new DescribeInstancesRequest().setRegionId(Checks.REGION))
                    .getBody().getTotalCount().toString();
        } catch (TeaException e) {
            return e.getCode();
        }
    }

    private Metadata() {}
}
