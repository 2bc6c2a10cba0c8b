// Command v1 drives the emulator with the first-generation Go SDK
// (github.com/aliyun/alibaba-cloud-sdk-go): RPC requests with V1 signatures,
// all parameters in the query string.
package main

import (
	"errors"
	"fmt"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/endpoints"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"ecsim/conformance/internal/check"
)

func main() {
	scenario("post", requests.POST) // what the typed client does by default
	scenario("get", requests.GET)
	identities() // RAM and STS
	check.Exit()
}

func scenario(mode, method string) {
	run := check.Runner{Family: "go-v1", Mode: mode}

	client, err := newClient(check.Endpoint(), check.AccessKeyID, check.Secret)
	if err != nil {
		run.Check("client can be made", func() error { return err })
		return
	}

	attach := func(instanceIDs, role string) (*ecs.AttachInstanceRamRoleResponse, error) {
		request := ecs.CreateAttachInstanceRamRoleRequest()
		request.Method = method
		request.InstanceIds = instanceIDs
		request.RamRoleName = role
		return client.AttachInstanceRamRole(request)
	}
	// An empty role is not sent at all.
	detach := func(instanceIDs, role string) (*ecs.DetachInstanceRamRoleResponse, error) {
		request := ecs.CreateDetachInstanceRamRoleRequest()
		request.Method = method
		request.InstanceIds = instanceIDs
		request.RamRoleName = role
		return client.DetachInstanceRamRole(request)
	}
	// roleOf checks what DescribeInstanceRamRole, asked by instance id only, says.
	roleOf := func(instanceID, wantRole string) error {
		request := ecs.CreateDescribeInstanceRamRoleRequest()
		request.Method = method
		request.InstanceIds = list(instanceID)
		response, err := client.DescribeInstanceRamRole(request)
		if err != nil {
			return err
		}
		sets := response.InstanceRamRoleSets.InstanceRamRoleSet
		if len(sets) != 1 {
			return fmt.Errorf("InstanceRamRoleSet is %v, want one entry", sets)
		}
		return check.All(
			check.RequestID(response.RequestId),
			check.Equal("RegionId", response.RegionId, check.Region),
			check.Equal("TotalCount", response.TotalCount, 1),
			check.Equal("InstanceId", sets[0].InstanceId, instanceID),
			check.Equal("RamRoleName", sets[0].RamRoleName, wantRole),
		)
	}

	run.Check("DescribeRegions lists cn-hangzhou and cn-beijing", func() error {
		request := ecs.CreateDescribeRegionsRequest()
		request.Method = method
		response, err := client.DescribeRegions(request)
		if err != nil {
			return err
		}
		var ids []string
		for _, region := range response.Regions.Region {
			ids = append(ids, region.RegionId)
		}
		return check.All(
			check.RequestID(response.RequestId),
			check.Contains("Regions", ids, "cn-hangzhou", "cn-beijing"),
		)
	})

	run.Check("DescribeInstances in pages of two finds the five instances in order", func() error {
		var ids []string
		for page, wantSize := range []int{2, 2, 1} {
			request := ecs.CreateDescribeInstancesRequest()
			request.Method = method
			request.PageNumber = requests.NewInteger(page + 1)
			request.PageSize = requests.NewInteger(2)
			response, err := client.DescribeInstances(request)
			if err != nil {
				return err
			}
			err = check.All(
				check.Equal("TotalCount", response.TotalCount, 5),
				check.Equal("PageNumber", response.PageNumber, page+1),
				check.Equal("PageSize", response.PageSize, 2),
				check.Equal(fmt.Sprintf("length of page %d", page+1), len(response.Instances.Instance), wantSize),
			)
			if err != nil {
				return err
			}
			for _, instance := range response.Instances.Instance {
				ids = append(ids, instance.InstanceId)
			}
		}
		return check.EqualList("instances", ids, check.Instances)
	})

	run.Check("AttachInstanceRamRole gives a role to an instance that has none", func() error {
		response, err := attach(list(check.PlainInstance), check.Role)
		if err != nil {
			return err
		}
		results := response.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult
		if len(results) != 1 {
			return fmt.Errorf("results are %v, want one", results)
		}
		return check.All(
			check.RequestID(response.RequestId),
			check.Equal("RamRoleName", response.RamRoleName, check.Role),
			check.Equal("TotalCount", response.TotalCount, 1),
			check.Equal("FailCount", response.FailCount, 0),
			check.Equal("InstanceId", results[0].InstanceId, check.PlainInstance),
			check.Equal("Code", results[0].Code, "200"),
			check.Equal("Message", results[0].Message, "success"),
			check.Equal("Success", results[0].Success, true),
		)
	})
	run.Check("DescribeInstanceRamRole shows the attached role", func() error {
		return roleOf(check.PlainInstance, check.Role)
	})

	run.Check("DetachInstanceRamRole takes the role off", func() error {
		response, err := detach(list(check.PlainInstance), check.Role)
		if err != nil {
			return err
		}
		results := response.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult
		if len(results) != 1 {
			return fmt.Errorf("results are %v, want one", results)
		}
		removed := results[0].InstanceRamRoleSets.InstanceRamRoleSet
		if len(removed) != 1 {
			return fmt.Errorf("InstanceRamRoleSet is %v, want one entry", removed)
		}
		return check.All(
			check.RequestID(response.RequestId),
			check.Equal("RamRoleName", response.RamRoleName, check.Role),
			check.Equal("TotalCount", response.TotalCount, 1),
			check.Equal("FailCount", response.FailCount, 0),
			check.Equal("InstanceId", results[0].InstanceId, check.PlainInstance),
			check.Equal("Code", results[0].Code, "200"),
			check.Equal("Message", results[0].Message, "Success"),
			check.Equal("Success", results[0].Success, true),
			check.Equal("removed InstanceId", removed[0].InstanceId, check.PlainInstance),
			check.Equal("removed RamRoleName", removed[0].RamRoleName, check.Role),
		)
	})
	run.Check("DescribeInstanceRamRole shows an empty name after the detach", func() error {
		return roleOf(check.PlainInstance, "")
	})

	run.Check("DetachInstanceRamRole of an unknown instance fails as a whole", func() error {
		_, err := detach(list(check.UnknownInstance), "")
		return wantError(err, 404, "InvalidInstanceId.NotFound", "The specified instanceId does not exist.")
	})

	run.Check("DetachInstanceRamRole of a known and an unknown instance fails in part", func() error {
		response, err := detach(list(check.WebInstance, check.UnknownInstance), "")
		if err != nil {
			return err
		}
		results := response.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult
		if len(results) != 2 {
			return fmt.Errorf("results are %v, want two", results)
		}
		return check.All(
			check.Equal("HTTP status", response.GetHttpStatus(), 200),
			check.Equal("TotalCount", response.TotalCount, 2),
			check.Equal("FailCount", response.FailCount, 1),
			check.Equal("first InstanceId", results[0].InstanceId, check.WebInstance),
			check.Equal("first Code", results[0].Code, "200"),
			check.Equal("first Success", results[0].Success, true),
			check.Equal("second InstanceId", results[1].InstanceId, check.UnknownInstance),
			check.Equal("second Code", results[1].Code, "InvalidInstanceId.NotFound"),
			check.Equal("second Message", results[1].Message, "The specified instanceId does not exist."),
			check.Equal("second Success", results[1].Success, false),
		)
	})

	run.Check("DetachInstanceRamRole of a classic-network instance is refused", func() error {
		_, err := detach(list(check.ClassicInstance), "")
		return wantError(err, 403, "InvalidNetworkType.MismatchRamRole",
			"Ram role cannot be applied to instances of Classic network type.")
	})
	run.Check("AttachInstanceRamRole to a classic-network instance is refused", func() error {
		_, err := attach(list(check.ClassicInstance), check.Role)
		return wantError(err, 403, "InvalidNetworkType.MismatchRamRole",
			"Ram role cannot be applied to instances of Classic network type.")
	})

	// The SDK compares the string to sign that the server echoes with its own.
	// When they agree, only the secret can be wrong, and it says so.
	run.Check("a wrong secret is recognised by the SDK", func() error {
		client, err := newClient(check.Endpoint(), check.AccessKeyID, check.WrongSecret)
		if err != nil {
			return err
		}
		request := ecs.CreateDescribeInstancesRequest()
		request.Method = method
		request.InstanceName = check.SpecialName
		_, err = client.DescribeInstances(request)
		var got *sdkerrors.ServerError
		if !errors.As(err, &got) {
			return fmt.Errorf("want a server error, got %v", err)
		}
		return check.All(
			check.Equal("HTTP status", got.HttpStatus(), 400),
			check.Equal("Code", got.ErrorCode(), "IncompleteSignature"),
			check.HasPrefix("Message", got.Message(),
				"The request signature does not conform to Aliyun standards. server string to sign is:"),
			check.Equal("Recommend", got.Recommend(), "InvalidAccessKeySecret: Please check you AccessKeySecret"),
			check.RequestID(got.RequestId()),
		)
	})

	run.Check("DescribeInstances takes special and non-ASCII characters in a filter", func() error {
		request := ecs.CreateDescribeInstancesRequest()
		request.Method = method
		request.InstanceName = check.SpecialName
		response, err := client.DescribeInstances(request)
		if err != nil {
			return err
		}
		return check.All(
			check.Equal("TotalCount", response.TotalCount, 0),
			check.Equal("length of the list", len(response.Instances.Instance), 0),
			check.True("the list is there", response.Instances.Instance != nil),
		)
	})

	// The SDK's own resolver always asks the public location service over HTTPS;
	// only the function that sends its request can be replaced.
	run.Check("the SDK's location resolver finds the emulator", func() error {
		resolver := endpoints.LocationResolver{}
		endpoint, found, err := resolver.TryResolve(&endpoints.ResolveParam{
			Product:              "Ecs",
			RegionId:             check.Region,
			LocationProduct:      "ecs",
			LocationEndpointType: "openAPI",
			CommonApi: func(request *requests.CommonRequest) (*responses.CommonResponse, error) {
				request.Domain = check.Endpoint()
				request.Scheme = requests.HTTP
				request.Method = method
				return client.ProcessCommonRequest(request)
			},
		})
		if err != nil {
			return err
		}
		return check.All(
			check.True("an endpoint was found", found),
			check.Equal("Endpoint", endpoint, check.Endpoint()),
		)
	})
}

// list writes instance ids the way the InstanceIds parameter wants them.
func list(ids ...string) string {
	text := ""
	for i, id := range ids {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf("%q", id)
	}
	return "[" + text + "]"
}

// refusal is what a product answers.
type refusal struct {
	product string
	status  int
	code    string
	message string
}

// wantError checks every field of an ECS error that the SDK reports.
func wantError(err error, status int, code, message string) error {
	return wantRefusal(err, refusal{"Ecs", status, code, message})
}

// wantRefusal checks every field of an error that the SDK reports, but AccessDeniedDetail.
func wantRefusal(err error, want refusal) error {
	var got *sdkerrors.ServerError
	if !errors.As(err, &got) {
		return fmt.Errorf("want a server error %s, got %v", want.code, err)
	}
	header := got.RespHeaders["X-Acs-Request-Id"]
	if len(header) != 1 {
		return fmt.Errorf("header x-acs-request-id is %q, want one value", header)
	}
	return check.All(
		check.Equal("HTTP status", got.HttpStatus(), want.status),
		check.Equal("Code", got.ErrorCode(), want.code),
		check.Equal("Message", got.Message(), want.message),
		check.RequestID(got.RequestId()),
		check.Equal("header x-acs-request-id", header[0], got.RequestId()),
		check.Equal("HostId", got.HostId(), check.HostID()),
		check.Equal("Recommend", got.Recommend(), check.Recommend(want.product, want.code, got.RequestId())),
	)
}
