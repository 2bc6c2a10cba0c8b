package ecsim.conformance;

import static ecsim.conformance.Checks.contains;
import static ecsim.conformance.Checks.endpoint;
import static ecsim.conformance.Checks.equal;
import static ecsim.conformance.Checks.failure;
import static ecsim.conformance.Checks.list;
import static ecsim.conformance.Checks.requestId;
import static ecsim.conformance.Checks.startsWith;

import com.aliyuncs.AcsRequest;
import com.aliyuncs.AcsResponse;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.auth.SignatureVersion;
import com.aliyuncs.ecs.model.v20140526.AttachInstanceRamRoleRequest;
import com.aliyuncs.ecs.model.v20140526.AttachInstanceRamRoleResponse;
import com.aliyuncs.ecs.model.v20140526.DescribeInstanceRamRoleRequest;
import com.aliyuncs.ecs.model.v20140526.DescribeInstanceRamRoleResponse;
import com.aliyuncs.ecs.model.v20140526.DescribeInstancesRequest;
import com.aliyuncs.ecs.model.v20140526.DescribeInstancesResponse;
import com.aliyuncs.ecs.model.v20140526.DescribeRegionsRequest;
import com.aliyuncs.ecs.model.v20140526.DescribeRegionsResponse;
import com.aliyuncs.ecs.model.v20140526.DetachInstanceRamRoleRequest;
import com.aliyuncs.ecs.model.v20140526.DetachInstanceRamRoleResponse;
import com.aliyuncs.endpoint.location.model.v20150612.DescribeEndpointsRequest;
import com.aliyuncs.endpoint.location.model.v20150612.DescribeEndpointsResponse;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/**
 * The first-generation Java SDK (aliyun-java-sdk-core, aliyun-java-sdk-ecs): RPC requests with V1
 * signatures, all parameters in the query string; and the ACS3 signatures that it makes on request.
 */
public final class V1 {
    private static final String CLASSIC_CODE = "InvalidNetworkType.MismatchRamRole";
    private static final String CLASSIC_MESSAGE =
            "Ram role cannot be applied to instances of Classic network type.";

    private final SignatureVersion signatureVersion;
    private final DefaultAcsClient client;
    private final Checks checks;

    public static void main(String[] args) {
        new V1("v1", SignatureVersion.V1).run();
        new V1("acs3", SignatureVersion.V3).run();
        Checks.exit();
    }

    private V1(String mode, SignatureVersion signatureVersion) {
        this.checks = new Checks("java-v1", mode);
        this.signatureVersion = signatureVersion;
        this.client = newClient(Checks.SECRET);
    }

    private DefaultAcsClient newClient(String secret) {
        DefaultAcsClient client = V1Client.create(endpoint(), Checks.ACCESS_KEY_ID, secret);
        client.setSignatureVersion(signatureVersion);
        return client;
    }

    /** Readies a request: region. */
    private <R extends AcsRequest<?>> R prepare(R request) {
        if (signatureVersion == SignatureVersion.V3) {
            // With ACS3 signatures the SDK does not send the client's region by itself.
            request.<String>putQueryParameter("RegionId", Checks.REGION);
        }
        return request;
    }

    private void run() {
        checks.check("DescribeRegions lists cn-hangzhou and cn-beijing", () -> {
            DescribeRegionsResponse response = client.getAcsResponse(prepare(new DescribeRegionsRequest()));
            requestId(response.getRequestId());
            List<String> ids = new ArrayList<>();
            for (DescribeRegionsResponse.Region region : response.getRegions()) {
                ids.add(region.getRegionId());
            }
            contains("Regions", ids, "cn-hangzhou");
            contains("Regions", ids, "cn-beijing");
        });

        checks.check("DescribeInstances in pages of two finds the five instances in order", () -> {
            int[] sizes = {2, 2, 1};
            List<String> ids = new ArrayList<>();
            for (int page = 1; page <= sizes.length; page++) {
                DescribeInstancesRequest request = prepare(new DescribeInstancesRequest());
                request.setPageNumber(page);
                request.setPageSize(2);
                DescribeInstancesResponse response = client.getAcsResponse(request);
                equal("TotalCount", response.getTotalCount(), 5);
                equal("PageNumber", response.getPageNumber(), page);
                equal("PageSize", response.getPageSize(), 2);
                equal("length of page " + page, response.getInstances().size(), sizes[page - 1]);
                for (DescribeInstancesResponse.Instance instance : response.getInstances()) {
                    ids.add(instance.getInstanceId());
                }
            }
            equal("instances", ids, Checks.INSTANCES);
        });

        checks.check("AttachInstanceRamRole gives a role to an instance that has none", () -> {
            AttachInstanceRamRoleResponse response =
                    client.getAcsResponse(attach(list(Checks.PLAIN_INSTANCE), Checks.ROLE));
            requestId(response.getRequestId());
            equal("RamRoleName", response.getRamRoleName(), Checks.ROLE);
            equal("TotalCount", response.getTotalCount(), 1);
            equal("FailCount", response.getFailCount(), 0);
            equal("number of results", response.getAttachInstanceRamRoleResults().size(), 1);
            AttachInstanceRamRoleResponse.AttachInstanceRamRoleResult result =
                    response.getAttachInstanceRamRoleResults().get(0);
            equal("InstanceId", result.getInstanceId(), Checks.PLAIN_INSTANCE);
            equal("Code", result.getCode(), "200");
            equal("Message", result.getMessage(), "success");
            equal("Success", result.getSuccess(), true);
        });
        checks.check("DescribeInstanceRamRole shows the attached role",
                () -> roleIs(Checks.PLAIN_INSTANCE, Checks.ROLE));

        checks.check("DetachInstanceRamRole takes the role off", () -> {
            DetachInstanceRamRoleResponse response =
                    client.getAcsResponse(detach(list(Checks.PLAIN_INSTANCE), Checks.ROLE));
            requestId(response.getRequestId());
            equal("RamRoleName", response.getRamRoleName(), Checks.ROLE);
            equal("TotalCount", response.getTotalCount(), 1);
            equal("FailCount", response.getFailCount(), 0);
            equal("number of results", response.getDetachInstanceRamRoleResults().size(), 1);
            DetachInstanceRamRoleResponse.DetachInstanceRamRoleResult result =
                    response.getDetachInstanceRamRoleResults().get(0);
            equal("InstanceId", result.getInstanceId(), Checks.PLAIN_INSTANCE);
            equal("Code", result.getCode(), "200");
            equal("Message", result.getMessage(), "Success");
            equal("Success", result.getSuccess(), true);
            equal("number of removed pairs", result.getInstanceRamRoleSets().size(), 1);
            equal("removed InstanceId",
                    result.getInstanceRamRoleSets().get(0).getInstanceId(), Checks.PLAIN_INSTANCE);
            equal("removed RamRoleName",
                    result.getInstanceRamRoleSets().get(0).getRamRoleName(), Checks.ROLE);
        });
        checks.check("DescribeInstanceRamRole shows an empty name after the detach",
                () -> roleIs(Checks.PLAIN_INSTANCE, ""));

        checks.check("DetachInstanceRamRole of an unknown instance fails as a whole", () ->
                wantError(() -> detach(list(Checks.UNKNOWN_INSTANCE), null),
                        404, "InvalidInstanceId.NotFound", "The specified instanceId does not exist."));

        checks.check("DetachInstanceRamRole of a known and an unknown instance fails in part", () -> {
            DetachInstanceRamRoleRequest request =
                    detach(list(Checks.WEB_INSTANCE, Checks.UNKNOWN_INSTANCE), null);
            DetachInstanceRamRoleResponse response = client.getAcsResponse(request);
            equal("TotalCount", response.getTotalCount(), 2);
            equal("FailCount", response.getFailCount(), 1);
            equal("number of results", response.getDetachInstanceRamRoleResults().size(), 2);
            DetachInstanceRamRoleResponse.DetachInstanceRamRoleResult first =
                    response.getDetachInstanceRamRoleResults().get(0);
            equal("first InstanceId", first.getInstanceId(), Checks.WEB_INSTANCE);
            equal("first Code", first.getCode(), "200");
            equal("first Success", first.getSuccess(), true);
            DetachInstanceRamRoleResponse.DetachInstanceRamRoleResult second =
                    response.getDetachInstanceRamRoleResults().get(1);
            equal("second InstanceId", second.getInstanceId(), Checks.UNKNOWN_INSTANCE);
            equal("second Code", second.getCode(), "InvalidInstanceId.NotFound");
            equal("second Message", second.getMessage(), "The specified instanceId does not exist.");
            equal("second Success", second.getSuccess(), false);
        });

        checks.check("DetachInstanceRamRole of a classic-network instance is refused", () ->
                wantError(() -> detach(list(Checks.CLASSIC_INSTANCE), null), 403, CLASSIC_CODE, CLASSIC_MESSAGE));
        checks.check("AttachInstanceRamRole to a classic-network instance is refused", () ->
                wantError(() -> attach(list(Checks.CLASSIC_INSTANCE), Checks.ROLE),
                        403, CLASSIC_CODE, CLASSIC_MESSAGE));

        checks.check("a wrong secret is refused", () -> {
            DescribeInstancesRequest request = prepare(new DescribeInstancesRequest());
            request.setInstanceName(Checks.SPECIAL_NAME);
            ClientException error = failure(ClientException.class,
                    () -> newClient(Checks.WRONG_SECRET).getAcsResponse(request));
            requestId(error.getRequestId());
            if (signatureVersion == SignatureVersion.V1) {
                // The answer is IncompleteSignature with the server's string to sign. The SDK compares
                // that with its own; as they agree, only the secret can be wrong, and it says so.
                equal("code", error.getErrCode(), "SDK.InvalidAccessKeySecret");
                equal("message", error.getErrMsg(), "Specified Access Key Secret is not valid.");
            } else {
                equal("code", error.getErrCode(), "SignatureDoesNotMatch");
                startsWith("message", error.getErrMsg(), "Specified signature does not match our calculation.");
            }
        });
        checks.check("the answer to a wrong secret, before the SDK reads it", () -> {
            DescribeRegionsRequest request = prepare(new DescribeRegionsRequest());
            HttpResponse answer = newClient(Checks.WRONG_SECRET).doAction(request);
            equal("HTTP status", answer.getStatus(), 400);
            String code = signatureVersion == SignatureVersion.V1 ? "IncompleteSignature" : "SignatureDoesNotMatch";
            equal("Code stands in the body", answer.getHttpContentString().contains("\"Code\":\"" + code + "\""), true);
        });

        checks.check("DescribeInstances takes special and non-ASCII characters in a filter", () -> {
            DescribeInstancesRequest request = prepare(new DescribeInstancesRequest());
            request.setInstanceName(Checks.SPECIAL_NAME);
            DescribeInstancesResponse response = client.getAcsResponse(request);
            equal("TotalCount", response.getTotalCount(), 0);
            equal("length of the list", response.getInstances().size(), 0);
        });

        // The SDK's own resolver asks over HTTPS only; this is the request that it sends.
        checks.check("Location DescribeEndpoints names the emulator", () -> {
            DescribeEndpointsRequest request = prepare(new DescribeEndpointsRequest());
            request.setSysEndpoint(endpoint());
            request.setId(Checks.REGION);
            request.setServiceCode("ecs");
            request.setType("openAPI");
            DescribeEndpointsResponse response = client.getAcsResponse(request);
            requestId(response.getRequestId());
            equal("Success", response.getSuccess(), true);
            equal("number of endpoints", response.getEndpoints().size(), 1);
            DescribeEndpointsResponse.Endpoint first = response.getEndpoints().get(0);
            equal("Endpoint", first.getEndpoint(), endpoint());
            equal("Id", first.getId(), Checks.REGION);
            equal("Type", first.getType(), "openAPI");
            equal("SerivceCode", first.getSerivceCode(), "ecs"); // spelt so by the service
        });
    }

    private AttachInstanceRamRoleRequest attach(String instanceIds, String role) {
        AttachInstanceRamRoleRequest request = prepare(new AttachInstanceRamRoleRequest());
        request.setInstanceIds(instanceIds);
        request.setRamRoleName(role);
        return request;
    }

    /** A null role is not sent at all. */
    private DetachInstanceRamRoleRequest detach(String instanceIds, String role) {
        DetachInstanceRamRoleRequest request = prepare(new DetachInstanceRamRoleRequest());
        request.setInstanceIds(instanceIds);
        request.setRamRoleName(role);
        return request;
    }

    /** Checks what DescribeInstanceRamRole, asked by instance id only, says. */
    private void roleIs(String instanceId, String wantRole) throws Exception {
        DescribeInstanceRamRoleRequest request = prepare(new DescribeInstanceRamRoleRequest());
        request.setInstanceIds(list(instanceId));
        DescribeInstanceRamRoleResponse response = client.getAcsResponse(request);
        requestId(response.getRequestId());
        equal("RegionId", response.getRegionId(), Checks.REGION);
        equal("TotalCount", response.getTotalCount(), 1);
        equal("number of pairs", response.getInstanceRamRoleSets().size(), 1);
        equal("InstanceId", response.getInstanceRamRoleSets().get(0).getInstanceId(), instanceId);
        equal("RamRoleName", response.getInstanceRamRoleSets().get(0).getRamRoleName(), wantRole);
    }

    private interface RequestMaker<T extends AcsResponse> {
        AcsRequest<T> make();
    }

    /** Checks every part of an error. The exception has no HTTP status, so the call is made twice. */
    private <T extends AcsResponse> void wantError(RequestMaker<T> request, int status, String code, String message)
            throws Exception {
        ClientException error =
                failure(ClientException.class, () -> client.getAcsResponse(request.make()));
        equal("code", error.getErrCode(), code);
        equal("message", error.getErrMsg(), message);
        requestId(error.getRequestId());
        startsWith("exception text", error.getMessage(), code + " : " + message);

        HttpResponse answer = client.doAction(request.make());
        equal("HTTP status", answer.getStatus(), status);
        String id = answer.getHeaderValue("x-acs-request-id");
        requestId(id);
        equal("body", answer.getHttpContentString(),
                "{\"RequestId\":\"" + id + "\",\"HostId\":\"" + Checks.hostId() + "\",\"Code\":\"" + code
                        + "\",\"Message\":\"" + message + "\",\"Recommend\":\""
                        + Checks.recommend("Ecs", code, id) + "\"}");
    }
}
