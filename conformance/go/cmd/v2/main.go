// Command v2 drives the emulator with the current Go SDK
// (github.com/alibabacloud-go/ecs-20140526): ACS3 signatures in the
// Authorization header, and the V1 signatures that it makes on request.
package main

import (
	"encoding/json"
	"errors"
	"fmt"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	ecs "github.com/alibabacloud-go/ecs-20140526/v7/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"ecsim/conformance/internal/check"
)

func main() {
	scenario("acs3", nil, signatureError{
		code:    "SignatureDoesNotMatch",
		message: "code: 400, Specified signature does not match our calculation.",
	})
	// "v2" is the SDK's own name for RPC requests with V1 signatures.
	scenario("v1", tea.String("v2"), signatureError{
		code:    "IncompleteSignature",
		message: "code: 400, The request signature does not conform to Aliyun standards. server string to sign is:",
	})
	check.Exit()
}

// signatureError is what a wrong secret leads to.
type signatureError struct {
	code    string
	message string // its beginning
}

func scenario(mode string, signatureAlgorithm *string, wrongSecret signatureError) {
	run := check.Runner{Family: "go-v2", Mode: mode}

	client, err := newClient(check.Endpoint(), check.AccessKeyID, check.Secret, signatureAlgorithm)
	if err != nil {
		run.Check("client can be made", func() error { return err })
		return
	}
	region := tea.String(check.Region)

	attach := func(instanceIDs, role string) (*ecs.AttachInstanceRamRoleResponse, error) {
		return client.AttachInstanceRamRole(&ecs.AttachInstanceRamRoleRequest{
			RegionId:    region,
			InstanceIds: tea.String(instanceIDs),
			RamRoleName: tea.String(role),
		})
	}
	// A nil role is not sent at all.
	detach := func(instanceIDs string, role *string) (*ecs.DetachInstanceRamRoleResponse, error) {
		return client.DetachInstanceRamRole(&ecs.DetachInstanceRamRoleRequest{
			RegionId:    region,
			InstanceIds: tea.String(instanceIDs),
			RamRoleName: role,
		})
	}
	// roleOf checks what DescribeInstanceRamRole, asked by instance id only, says.
	roleOf := func(instanceID, wantRole string) error {
		response, err := client.DescribeInstanceRamRole(&ecs.DescribeInstanceRamRoleRequest{
			RegionId:    region,
			InstanceIds: tea.String(list(instanceID)),
		})
		if err != nil {
			return err
		}
		sets := response.Body.InstanceRamRoleSets.InstanceRamRoleSet
		if len(sets) != 1 {
			return fmt.Errorf("InstanceRamRoleSet is %v, want one entry", sets)
		}
		return check.All(
			check.RequestID(tea.StringValue(response.Body.RequestId)),
			check.Equal("RegionId", tea.StringValue(response.Body.RegionId), check.Region),
			equalInt("TotalCount", response.Body.TotalCount, 1),
			equalString("InstanceId", sets[0].InstanceId, instanceID),
			equalString("RamRoleName", sets[0].RamRoleName, wantRole),
		)
	}

	run.Check("DescribeRegions lists cn-hangzhou and cn-beijing", func() error {
		response, err := client.DescribeRegions(&ecs.DescribeRegionsRequest{})
		if err != nil {
			return err
		}
		var ids []string
		for _, region := range response.Body.Regions.Region {
			ids = append(ids, tea.StringValue(region.RegionId))
		}
		return check.All(
			check.RequestID(tea.StringValue(response.Body.RequestId)),
			check.Contains("Regions", ids, "cn-hangzhou", "cn-beijing"),
		)
	})

	run.Check("DescribeInstances in pages of two finds the five instances in order", func() error {
		var ids []string
		for page, wantSize := range []int{2, 2, 1} {
			response, err := client.DescribeInstances(&ecs.DescribeInstancesRequest{
				RegionId:   region,
				PageNumber: tea.Int32(int32(page + 1)),
				PageSize:   tea.Int32(2),
			})
			if err != nil {
				return err
			}
			err = check.All(
				equalInt("TotalCount", response.Body.TotalCount, 5),
				equalInt("PageNumber", response.Body.PageNumber, page+1),
				equalInt("PageSize", response.Body.PageSize, 2),
				check.Equal(fmt.Sprintf("length of page %d", page+1), len(response.Body.Instances.Instance), wantSize),
			)
			if err != nil {
				return err
			}
			for _, instance := range response.Body.Instances.Instance {
				ids = append(ids, tea.StringValue(instance.InstanceId))
			}
		}
		return check.EqualList("instances", ids, check.Instances)
	})

	run.Check("AttachInstanceRamRole gives a role to an instance that has none", func() error {
		response, err := attach(list(check.PlainInstance), check.Role)
		if err != nil {
			return err
		}
		results := response.Body.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult
		if len(results) != 1 {
			return fmt.Errorf("results are %v, want one", results)
		}
		return check.All(
			check.RequestID(tea.StringValue(response.Body.RequestId)),
			equalString("RamRoleName", response.Body.RamRoleName, check.Role),
			equalInt("TotalCount", response.Body.TotalCount, 1),
			equalInt("FailCount", response.Body.FailCount, 0),
			equalString("InstanceId", results[0].InstanceId, check.PlainInstance),
			equalString("Code", results[0].Code, "200"),
			equalString("Message", results[0].Message, "success"),
			equalBool("Success", results[0].Success, true),
		)
	})
	run.Check("DescribeInstanceRamRole shows the attached role", func() error {
		return roleOf(check.PlainInstance, check.Role)
	})

	run.Check("DetachInstanceRamRole takes the role off", func() error {
		response, err := detach(list(check.PlainInstance), tea.String(check.Role))
		if err != nil {
			return err
		}
		results := response.Body.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult
		if len(results) != 1 {
			return fmt.Errorf("results are %v, want one", results)
		}
		removed := results[0].InstanceRamRoleSets.InstanceRamRoleSet
		if len(removed) != 1 {
			return fmt.Errorf("InstanceRamRoleSet is %v, want one entry", removed)
		}
		return check.All(
			check.RequestID(tea.StringValue(response.Body.RequestId)),
			equalString("RamRoleName", response.Body.RamRoleName, check.Role),
			equalInt("TotalCount", response.Body.TotalCount, 1),
			equalInt("FailCount", response.Body.FailCount, 0),
			equalString("InstanceId", results[0].InstanceId, check.PlainInstance),
			equalString("Code", results[0].Code, "200"),
			equalString("Message", results[0].Message, "Success"),
			equalBool("Success", results[0].Success, true),
			equalString("removed InstanceId", removed[0].InstanceId, check.PlainInstance),
			equalString("removed RamRoleName", removed[0].RamRoleName, check.Role),
		)
	})
	run.Check("DescribeInstanceRamRole shows an empty name after the detach", func() error {
		return roleOf(check.PlainInstance, "")
	})

	run.Check("DetachInstanceRamRole of an unknown instance fails as a whole", func() error {
		_, err := detach(list(check.UnknownInstance), nil)
		return wantError(err, 404, "InvalidInstanceId.NotFound", "The specified instanceId does not exist.")
	})

	run.Check("DetachInstanceRamRole of a known and an unknown instance fails in part", func() error {
		response, err := detach(list(check.WebInstance, check.UnknownInstance), nil)
		if err != nil {
			return err
		}
		results := response.Body.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult
		if len(results) != 2 {
			return fmt.Errorf("results are %v, want two", results)
		}
		return check.All(
			equalInt("HTTP status", response.StatusCode, 200),
			equalInt("TotalCount", response.Body.TotalCount, 2),
			equalInt("FailCount", response.Body.FailCount, 1),
			equalString("first InstanceId", results[0].InstanceId, check.WebInstance),
			equalString("first Code", results[0].Code, "200"),
			equalBool("first Success", results[0].Success, true),
			equalString("second InstanceId", results[1].InstanceId, check.UnknownInstance),
			equalString("second Code", results[1].Code, "InvalidInstanceId.NotFound"),
			equalString("second Message", results[1].Message, "The specified instanceId does not exist."),
			equalBool("second Success", results[1].Success, false),
		)
	})

	run.Check("DetachInstanceRamRole of a classic-network instance is refused", func() error {
		_, err := detach(list(check.ClassicInstance), nil)
		return wantError(err, 403, "InvalidNetworkType.MismatchRamRole",
			"Ram role cannot be applied to instances of Classic network type.")
	})
	run.Check("AttachInstanceRamRole to a classic-network instance is refused", func() error {
		_, err := attach(list(check.ClassicInstance), check.Role)
		return wantError(err, 403, "InvalidNetworkType.MismatchRamRole",
			"Ram role cannot be applied to instances of Classic network type.")
	})

	run.Check("a wrong secret is refused with "+wrongSecret.code, func() error {
		client, err := newClient(check.Endpoint(), check.AccessKeyID, check.WrongSecret, signatureAlgorithm)
		if err != nil {
			return err
		}
		_, err = client.DescribeInstances(&ecs.DescribeInstancesRequest{
			RegionId:     region,
			InstanceName: tea.String(check.SpecialName),
		})
		var got *tea.SDKError
		if !errors.As(err, &got) {
			return fmt.Errorf("want an SDK error, got %v", err)
		}
		return check.All(
			check.Equal("HTTP status", tea.IntValue(got.StatusCode), 400),
			equalString("Code", got.Code, wrongSecret.code),
			check.HasPrefix("Message", tea.StringValue(got.Message), wrongSecret.message),
		)
	})

	run.Check("DescribeInstances takes special and non-ASCII characters in a filter", func() error {
		response, err := client.DescribeInstances(&ecs.DescribeInstancesRequest{
			RegionId:     region,
			InstanceName: tea.String(check.SpecialName),
		})
		if err != nil {
			return err
		}
		return check.All(
			equalInt("TotalCount", response.Body.TotalCount, 0),
			check.Equal("length of the list", len(response.Body.Instances.Instance), 0),
			check.True("the list is there", response.Body.Instances.Instance != nil),
		)
	})

	run.Check("Location DescribeEndpoints names the emulator", func() error {
		response, err := client.CallApi(
			&openapi.Params{
				Action:      tea.String("DescribeEndpoints"),
				Version:     tea.String("2015-06-12"),
				Protocol:    tea.String("HTTP"),
				Method:      tea.String("POST"),
				Pathname:    tea.String("/"),
				AuthType:    tea.String("AK"),
				Style:       tea.String("RPC"),
				ReqBodyType: tea.String("formData"),
				BodyType:    tea.String("json"),
			},
			&openapi.OpenApiRequest{Query: map[string]*string{
				"Id":          region,
				"ServiceCode": tea.String("ecs"),
				"Type":        tea.String("openAPI"),
			}},
			&dara.RuntimeOptions{},
		)
		if err != nil {
			return err
		}
		// The generic client returns maps; give the body its form.
		text, err := json.Marshal(response["body"])
		if err != nil {
			return err
		}
		var body struct {
			Success   bool
			Endpoints struct {
				Endpoint []struct{ Endpoint, Id, Type, SerivceCode string }
			}
		}
		if err := json.Unmarshal(text, &body); err != nil {
			return err
		}
		if len(body.Endpoints.Endpoint) == 0 {
			return fmt.Errorf("no endpoint in %s", text)
		}
		first := body.Endpoints.Endpoint[0]
		return check.All(
			check.Equal("Success", body.Success, true),
			check.Equal("Endpoint", first.Endpoint, check.Endpoint()),
			check.Equal("Id", first.Id, check.Region),
			check.Equal("Type", first.Type, "openAPI"),
			check.Equal("SerivceCode", first.SerivceCode, "ecs"), // spelt so by the service
		)
	})
}

// list writes instance ids the way the InstanceIds parameter wants them.
func list(ids ...string) string {
	text, err := json.Marshal(ids)
	if err != nil {
		panic(err) // strings can always be written
	}
	return string(text)
}

// wantError checks every field of an error that the SDK reports.
func wantError(err error, status int, code, message string) error {
	var got *tea.SDKError
	if !errors.As(err, &got) {
		return fmt.Errorf("want an SDK error %s, got %v", code, err)
	}
	// Data is the error's whole body.
	var body struct{ RequestId, HostId, Code, Message, Recommend string }
	if err := json.Unmarshal([]byte(tea.StringValue(got.Data)), &body); err != nil {
		return fmt.Errorf("error data: %w", err)
	}
	return check.All(
		check.Equal("HTTP status", tea.IntValue(got.StatusCode), status),
		equalString("Code", got.Code, code),
		equalString("Message", got.Message,
			fmt.Sprintf("code: %d, %s request id: %s", status, message, body.RequestId)),
		check.RequestID(body.RequestId),
		check.Equal("Code in the body", body.Code, code),
		check.Equal("Message in the body", body.Message, message),
		check.Equal("HostId", body.HostId, check.HostID()),
		check.Equal("Recommend", body.Recommend, check.Recommend("Ecs", code, body.RequestId)),
	)
}

// The SDK's models hold pointers; a missing value is a failure, not a zero.

func equalString(name string, got *string, want string) error {
	if got == nil {
		return fmt.Errorf("%s is missing, want %q;", name, want)
	}
	return check.Equal(name, *got, want)
}

func equalInt(name string, got *int32, want int) error {
	if got == nil {
		return fmt.Errorf("%s is missing, want %d;", name, want)
	}
	return check.Equal(name, int(*got), want)
}

func equalBool(name string, got *bool, want bool) error {
	if got == nil {
		return fmt.Errorf("%s is missing, want %t;", name, want)
	}
	return check.Equal(name, *got, want)
}
