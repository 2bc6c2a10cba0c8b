package ecsim.conformance;

import static ecsim.conformance.Checks.contains;
import static ecsim.conformance.Checks.endpoint;
import static ecsim.conformance.Checks.equal;
import static ecsim.conformance.Checks.failure;
import static ecsim.conformance.Checks.list;
import static ecsim.conformance.Checks.requestId;
import static ecsim.conformance.Checks.startsWith;

import com.aliyun.ecs20140526.Client;
import com.aliyun.ecs20140526.models.AttachInstanceRamRoleRequest;
import com.aliyun.ecs20140526.models.AttachInstanceRamRoleResponseBody;
import com.aliyun.ecs20140526.models.DescribeInstanceRamRoleRequest;
import com.aliyun.ecs20140526.models.DescribeInstanceRamRoleResponseBody;
import com.aliyun.ecs20140526.models.DescribeInstancesRequest;
import com.aliyun.ecs20140526.models.DescribeInstancesResponseBody;
import com.aliyun.ecs20140526.models.DescribeRegionsRequest;
import com.aliyun.ecs20140526.models.DescribeRegionsResponseBody;
import com.aliyun.ecs20140526.models.DetachInstanceRamRoleRequest;
import com.aliyun.ecs20140526.models.DetachInstanceRamRoleResponse;
import com.aliyun.ecs20140526.models.DetachInstanceRamRoleResponseBody;
import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The current Java SDK (ecs20140526): ACS3 signatures in the Authorization header, and the V1
 * signatures that it makes on request.
 */
public final class V2 {
    private static final String CLASSIC_CODE = "InvalidNetworkType.MismatchRamRole";
    private static final String CLASSIC_MESSAGE =
            "Ram role cannot be applied to instances of Classic network type.";

    /** What a wrong secret leads to: the code, and how the message begins. */
    private record SignatureError(String code, String message) {}

    private final Checks checks;
    private final String signatureAlgorithm;
    private final SignatureError wrongSecret;
    private final Client client;

    public static void main(String[] args) throws Exception {
        new V2("acs3", null, new SignatureError("SignatureDoesNotMatch",
                "code: 400, Specified signature does not match our calculation.")).run();
        // "v2" is the SDK's own name for RPC requests with V1 signatures.
        new V2("v1", "v2", new SignatureError("IncompleteSignature",
                "code: 400, The request signature does not conform to Aliyun standards."
                        + " server string to sign is:")).run();
        new V2Identities("acs3", null).run();
        new V2Identities("v1", "v2").run();
        Checks.exit();
    }

    private V2(String mode, String signatureAlgorithm, SignatureError wrongSecret) throws Exception {
        this.checks = new Checks("java-v2", mode);
        this.signatureAlgorithm = signatureAlgorithm;
        this.wrongSecret = wrongSecret;
        this.client = newClient(Checks.SECRET);
    }

    private Client newClient(String secret) throws Exception {
        return V2Client.create(endpoint(), Checks.ACCESS_KEY_ID, secret, signatureAlgorithm);
    }

    private void run() {
        checks.check("DescribeRegions lists cn-hangzhou and cn-beijing", () -> {
            DescribeRegionsResponseBody body = client.describeRegions(new DescribeRegionsRequest()).body;
            requestId(body.requestId);
            List<String> ids = new ArrayList<>();
            for (var region : body.regions.region) {
                ids.add(region.regionId);
            }
            contains("Regions", ids, "cn-hangzhou");
            contains("Regions", ids, "cn-beijing");
        });

        checks.check("DescribeInstances in pages of two finds the five instances in order", () -> {
            int[] sizes = {2, 2, 1};
            List<String> ids = new ArrayList<>();
            for (int page = 1; page <= sizes.length; page++) {
                DescribeInstancesResponseBody body = client.describeInstances(new DescribeInstancesRequest()
                        .setRegionId(Checks.REGION)
                        .setPageNumber(page)
                        .setPageSize(2)).body;
                equal("TotalCount", body.totalCount, 5);
                equal("PageNumber", body.pageNumber, page);
                equal("PageSize", body.pageSize, 2);
                equal("length of page " + page, body.instances.instance.size(), sizes[page - 1]);
                for (var instance : body.instances.instance) {
                    ids.add(instance.instanceId);
                }
            }
            equal("instances", ids, Checks.INSTANCES);
        });

        checks.check("AttachInstanceRamRole gives a role to an instance that has none", () -> {
            AttachInstanceRamRoleResponseBody body = attach(list(Checks.PLAIN_INSTANCE), Checks.ROLE);
            requestId(body.requestId);
            equal("RamRoleName", body.ramRoleName, Checks.ROLE);
            equal("TotalCount", body.totalCount, 1);
            equal("FailCount", body.failCount, 0);
            var results = body.attachInstanceRamRoleResults.attachInstanceRamRoleResult;
            equal("number of results", results.size(), 1);
            equal("InstanceId", results.get(0).instanceId, Checks.PLAIN_INSTANCE);
            equal("Code", results.get(0).code, "200");
            equal("Message", results.get(0).message, "success");
            equal("Success", results.get(0).success, true);
        });
        checks.check("DescribeInstanceRamRole shows the attached role",
                () -> roleIs(Checks.PLAIN_INSTANCE, Checks.ROLE));

        checks.check("DetachInstanceRamRole takes the role off", () -> {
            DetachInstanceRamRoleResponseBody body = detach(list(Checks.PLAIN_INSTANCE), Checks.ROLE).body;
            requestId(body.requestId);
            equal("RamRoleName", body.ramRoleName, Checks.ROLE);
            equal("TotalCount", body.totalCount, 1);
            equal("FailCount", body.failCount, 0);
            var results = body.detachInstanceRamRoleResults.detachInstanceRamRoleResult;
            equal("number of results", results.size(), 1);
            equal("InstanceId", results.get(0).instanceId, Checks.PLAIN_INSTANCE);
            equal("Code", results.get(0).code, "200");
            equal("Message", results.get(0).message, "Success");
            equal("Success", results.get(0).success, true);
            var removed = results.get(0).instanceRamRoleSets.instanceRamRoleSet;
            equal("number of removed pairs", removed.size(), 1);
            equal("removed InstanceId", removed.get(0).instanceId, Checks.PLAIN_INSTANCE);
            equal("removed RamRoleName", removed.get(0).ramRoleName, Checks.ROLE);
        });
        checks.check("DescribeInstanceRamRole shows an empty name after the detach",
                () -> roleIs(Checks.PLAIN_INSTANCE, ""));

        checks.check("DetachInstanceRamRole of an unknown instance fails as a whole", () ->
                wantError(() -> detach(list(Checks.UNKNOWN_INSTANCE), null),
                        404, "InvalidInstanceId.NotFound", "The specified instanceId does not exist."));

        checks.check("DetachInstanceRamRole of a known and an unknown instance fails in part", () -> {
            DetachInstanceRamRoleResponse response =
                    detach(list(Checks.WEB_INSTANCE, Checks.UNKNOWN_INSTANCE), null);
            equal("HTTP status", response.statusCode, 200);
            equal("TotalCount", response.body.totalCount, 2);
            equal("FailCount", response.body.failCount, 1);
            var results = response.body.detachInstanceRamRoleResults.detachInstanceRamRoleResult;
            equal("number of results", results.size(), 2);
            equal("first InstanceId", results.get(0).instanceId, Checks.WEB_INSTANCE);
            equal("first Code", results.get(0).code, "200");
            equal("first Success", results.get(0).success, true);
            equal("second InstanceId", results.get(1).instanceId, Checks.UNKNOWN_INSTANCE);
            equal("second Code", results.get(1).code, "InvalidInstanceId.NotFound");
            equal("second Message", results.get(1).message, "The specified instanceId does not exist.");
            equal("second Success", results.get(1).success, false);
        });

        checks.check("DetachInstanceRamRole of a classic-network instance is refused", () ->
                wantError(() -> detach(list(Checks.CLASSIC_INSTANCE), null), 403, CLASSIC_CODE, CLASSIC_MESSAGE));
        checks.check("AttachInstanceRamRole to a classic-network instance is refused", () ->
                wantError(() -> attach(list(Checks.CLASSIC_INSTANCE), Checks.ROLE),
                        403, CLASSIC_CODE, CLASSIC_MESSAGE));

        checks.check("a wrong secret is refused with " + wrongSecret.code(), () -> {
            Client stranger = newClient(Checks.WRONG_SECRET);
            TeaException error = failure(TeaException.class,
                    () -> stranger.describeInstances(new DescribeInstancesRequest()
                            .setRegionId(Checks.REGION)
                            .setInstanceName(Checks.SPECIAL_NAME)));
            equal("HTTP status", error.getStatusCode(), 400);
            equal("code", error.getCode(), wrongSecret.code());
            startsWith("message", error.getMessage(), wrongSecret.message());
            requestId((String) error.getData().get("RequestId"));
        });

        checks.check("DescribeInstances takes special and non-ASCII characters in a filter", () -> {
            DescribeInstancesResponseBody body = client.describeInstances(new DescribeInstancesRequest()
                    .setRegionId(Checks.REGION)
                    .setInstanceName(Checks.SPECIAL_NAME)).body;
            equal("TotalCount", body.totalCount, 0);
            equal("list", body.instances.instance, List.of());
        });

        checks.check("Location DescribeEndpoints names the emulator", () -> {
            Params params = new Params()
                    .setAction("DescribeEndpoints")
                    .setVersion("2015-06-12")
                    .setProtocol("HTTP")
                    .setMethod("POST")
                    .setPathname("/")
                    .setAuthType("AK")
                    .setStyle("RPC")
                    .setReqBodyType("formData")
                    .setBodyType("json");
            OpenApiRequest request = new OpenApiRequest().setQuery(Map.of(
                    "Id", Checks.REGION,
                    "ServiceCode", "ecs",
                    "Type", "openAPI"));
            Map<String, ?> response = client.callApi(params, request, new RuntimeOptions());
            Map<?, ?> body = (Map<?, ?>) response.get("body");
            equal("Success", body.get("Success"), true);
            List<?> endpoints = (List<?>) ((Map<?, ?>) body.get("Endpoints")).get("Endpoint");
            equal("number of endpoints", endpoints.size(), 1);
            Map<?, ?> first = (Map<?, ?>) endpoints.get(0);
            equal("Endpoint", first.get("Endpoint"), endpoint());
            equal("Id", first.get("Id"), Checks.REGION);
            equal("Type", first.get("Type"), "openAPI");
            equal("SerivceCode", first.get("SerivceCode"), "ecs"); // spelt so by the service
        });
    }

    private AttachInstanceRamRoleResponseBody attach(String instanceIds, String role) throws Exception {
        return client.attachInstanceRamRole(new AttachInstanceRamRoleRequest()
                .setRegionId(Checks.REGION)
                .setInstanceIds(instanceIds)
                .setRamRoleName(role)).body;
    }

    /** A null role is not sent at all. */
    private DetachInstanceRamRoleResponse detach(String instanceIds, String role) throws Exception {
        return client.detachInstanceRamRole(new DetachInstanceRamRoleRequest()
                .setRegionId(Checks.REGION)
                .setInstanceIds(instanceIds)
                .setRamRoleName(role));
    }

    /** Checks what DescribeInstanceRamRole, asked by instance id only, says. */
    private void roleIs(String instanceId, String wantRole) throws Exception {
        DescribeInstanceRamRoleResponseBody body =
                client.describeInstanceRamRole(new DescribeInstanceRamRoleRequest()
                        .setRegionId(Checks.REGION)
                        .setInstanceIds(list(instanceId))).body;
        requestId(body.requestId);
        equal("RegionId", body.regionId, Checks.REGION);
        equal("TotalCount", body.totalCount, 1);
        var pairs = body.instanceRamRoleSets.instanceRamRoleSet;
        equal("number of pairs", pairs.size(), 1);
        equal("InstanceId", pairs.get(0).instanceId, instanceId);
        equal("RamRoleName", pairs.get(0).ramRoleName, wantRole);
    }

    private void wantError(Checks.Body call, int status, String code, String message) throws Exception {
        wantRefusal(call, new Refusal("Ecs", status, code, message));
    }

    /** What a product answers. */
    record Refusal(String product, int status, String code, String message) {}

    /** Checks every part of an error that the SDK reports, but AccessDeniedDetail. */
    static TeaException wantRefusal(Checks.Body call, Refusal want) throws Exception {
        TeaException error = failure(TeaException.class, call);
        Map<String, Object> body = error.getData(); // the error's whole body
        String id = (String) body.get("RequestId");
        requestId(id);
        equal("HTTP status", error.getStatusCode(), want.status());
        equal("code", error.getCode(), want.code());
        equal("message", error.getMessage(), "code: " + want.status() + ", " + want.message() + " request id: " + id);
        equal("Code in the body", body.get("Code"), want.code());
        equal("Message in the body", body.get("Message"), want.message());
        equal("HostId", body.get("HostId"), Checks.hostId());
        equal("Recommend", body.get("Recommend"), Checks.recommend(want.product(), want.code(), id));
        return error;
    }
}
