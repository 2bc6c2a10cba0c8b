// Command tearpc makes the calls of Terraform's resource
// alicloud_ecs_ram_role_attachment with the client that the provider uses
// (github.com/alibabacloud-go/tea-rpc): POST, system parameters and the V1
// signature in the query string, API parameters in a form body.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	util "github.com/alibabacloud-go/tea-utils/service"
	"github.com/alibabacloud-go/tea/tea"

	"ecsim/conformance/internal/check"
)

type object = map[string]any

// call sends one request. Like the provider it makes a new client for each.
func call(secret, version, action string, parameters object) (object, error) {
	client, err := newClient(check.Endpoint(), check.AccessKeyID, secret)
	if err != nil {
		return nil, err
	}
	var query object // nothing but the system parameters
	return client.DoRequest(tea.String(action), nil, tea.String("POST"), tea.String(version),
		tea.String("AK"), query, parameters, &util.RuntimeOptions{})
}

func callECS(action string, parameters object) (object, error) {
	return call(check.Secret, "2014-05-26", action, parameters)
}

func main() {
	run := check.Runner{Family: "go-tearpc", Mode: "form"}

	attachment := func(instanceID string) object {
		return object{
			"RegionId":    check.Region,
			"InstanceIds": fmt.Sprintf("[%q]", instanceID),
			"RamRoleName": check.Role,
		}
	}

	// create: the resource's id is made of the first result's instance id and
	// the role name at the top of the answer.
	id := ""
	run.Check("create: AttachInstanceRamRole", func() error {
		response, err := callECS("AttachInstanceRamRole", attachment(check.PlainInstance))
		if err != nil {
			return err
		}
		result := path{"AttachInstanceRamRoleResults", "AttachInstanceRamRoleResult", 0}
		id = fmt.Sprintf("%v:%v", at(response, append(result, "InstanceId")), at(response, path{"RamRoleName"}))
		return check.All(
			check.Equal("resource id", id, check.PlainInstance+":"+check.Role),
			check.Equal("TotalCount", at(response, path{"TotalCount"}), number(1)),
			check.Equal("FailCount", at(response, path{"FailCount"}), number(0)),
			check.Equal("Code", at(response, append(result, "Code")), any("200")),
			check.Equal("Message", at(response, append(result, "Message")), any("success")),
			check.Equal("Success", at(response, append(result, "Success")), any(true)),
		)
	})

	// The rest works on the id, as Terraform does with its state.
	instanceID, role, _ := strings.Cut(id, ":")
	parameters := object{
		"RegionId":    check.Region,
		"InstanceIds": fmt.Sprintf("[%q]", instanceID),
		"RamRoleName": role,
	}

	run.Check("read: DescribeInstanceRamRole with both filters", func() error {
		response, err := callECS("DescribeInstanceRamRole", parameters)
		if err != nil {
			return err
		}
		set := path{"InstanceRamRoleSets", "InstanceRamRoleSet", 0}
		return check.All(
			check.Equal("TotalCount", at(response, path{"TotalCount"}), number(1)),
			check.Equal("RegionId", at(response, path{"RegionId"}), any(check.Region)),
			check.Equal("InstanceId", at(response, append(set, "InstanceId")), any(check.PlainInstance)),
			check.Equal("RamRoleName", at(response, append(set, "RamRoleName")), any(check.Role)),
		)
	})

	run.Check("delete: DetachInstanceRamRole", func() error {
		response, err := callECS("DetachInstanceRamRole", parameters)
		if err != nil {
			return err
		}
		result := path{"DetachInstanceRamRoleResults", "DetachInstanceRamRoleResult", 0}
		removed := append(result, "InstanceRamRoleSets", "InstanceRamRoleSet", 0)
		return check.All(
			check.Equal("RamRoleName", at(response, path{"RamRoleName"}), any(check.Role)),
			check.Equal("TotalCount", at(response, path{"TotalCount"}), number(1)),
			check.Equal("FailCount", at(response, path{"FailCount"}), number(0)),
			check.Equal("Code", at(response, append(result, "Code")), any("200")),
			check.Equal("Message", at(response, append(result, "Message")), any("Success")),
			check.Equal("Success", at(response, append(result, "Success")), any(true)),
			check.Equal("removed InstanceId", at(response, append(removed, "InstanceId")), any(check.PlainInstance)),
			check.Equal("removed RamRoleName", at(response, append(removed, "RamRoleName")), any(check.Role)),
		)
	})

	run.Check("read again: the list is there and empty", func() error {
		response, err := callECS("DescribeInstanceRamRole", parameters)
		if err != nil {
			return err
		}
		list, ok := at(response, path{"InstanceRamRoleSets", "InstanceRamRoleSet"}).([]any)
		return check.All(
			check.True("InstanceRamRoleSet is a list", ok),
			check.Equal("its length", len(list), 0),
			check.Equal("TotalCount", at(response, path{"TotalCount"}), number(0)),
		)
	})

	// After a cut-off answer the provider sends the same call again.
	run.Check("delete again: a repeated DetachInstanceRamRole succeeds", func() error {
		response, err := callECS("DetachInstanceRamRole", parameters)
		if err != nil {
			return err
		}
		result := path{"DetachInstanceRamRoleResults", "DetachInstanceRamRoleResult", 0}
		removed, ok := at(response, append(result, "InstanceRamRoleSets", "InstanceRamRoleSet")).([]any)
		return check.All(
			check.Equal("FailCount", at(response, path{"FailCount"}), number(0)),
			check.Equal("Code", at(response, append(result, "Code")), any("200")),
			check.True("InstanceRamRoleSet is a list", ok),
			check.Equal("its length", len(removed), 0),
		)
	})

	// A 404, or NotFound in the message, tells the provider that nothing is left to delete.
	run.Check("delete: DetachInstanceRamRole of an unknown instance is a 404", func() error {
		_, err := callECS("DetachInstanceRamRole", attachment(check.UnknownInstance))
		return wantError(err, 404, "InvalidInstanceId.NotFound", "The specified instanceId does not exist.")
	})
	run.Check("create: AttachInstanceRamRole to a classic-network instance is refused", func() error {
		_, err := callECS("AttachInstanceRamRole", attachment(check.ClassicInstance))
		return wantError(err, 403, "InvalidNetworkType.MismatchRamRole",
			"Ram role cannot be applied to instances of Classic network type.")
	})

	run.Check("a wrong secret is refused with IncompleteSignature", func() error {
		_, err := call(check.WrongSecret, "2014-05-26", "DescribeInstances", object{
			"RegionId":     check.Region,
			"InstanceName": check.SpecialName,
		})
		var got *tea.SDKError
		if !errors.As(err, &got) {
			return fmt.Errorf("want an SDK error, got %v", err)
		}
		return check.All(
			check.Equal("HTTP status", tea.IntValue(got.StatusCode), 400),
			check.Equal("Code", tea.StringValue(got.Code), "IncompleteSignature"),
			check.HasPrefix("Message", tea.StringValue(got.Message),
				"code: 400, The request signature does not conform to Aliyun standards. server string to sign is:POST&%2F&"),
		)
	})

	run.Check("DescribeInstances takes special and non-ASCII characters in a form body", func() error {
		response, err := callECS("DescribeInstances", object{
			"RegionId":     check.Region,
			"InstanceName": check.SpecialName,
		})
		if err != nil {
			return err
		}
		list, ok := at(response, path{"Instances", "Instance"}).([]any)
		return check.All(
			check.Equal("TotalCount", at(response, path{"TotalCount"}), number(0)),
			check.True("Instance is a list", ok),
			check.Equal("its length", len(list), 0),
		)
	})

	// With only endpoints.location set, the provider asks for all other endpoints.
	run.Check("Location DescribeEndpoints names the emulator", func() error {
		response, err := call(check.Secret, "2015-06-12", "DescribeEndpoints", object{
			"Id":          check.Region,
			"ServiceCode": "ecs",
			"Type":        "openAPI",
		})
		if err != nil {
			return err
		}
		return check.All(
			check.Equal("Success", at(response, path{"Success"}), any(true)),
			check.Equal("Endpoint", at(response, path{"Endpoints", "Endpoint", 0, "Endpoint"}), any(check.Endpoint())),
		)
	})

	check.Exit()
}

// path leads to a value inside a JSON answer: member names and list positions.
type path []any

// at follows a path; it is nil where the path ends early.
func at(value any, steps path) any {
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			members, ok := value.(object)
			if !ok {
				return nil
			}
			value = members[step]
		case int:
			list, ok := value.([]any)
			if !ok || step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

// number is how the SDK gives a number of a JSON answer.
func number(n int) any {
	return json.Number(strconv.Itoa(n))
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
		check.Equal("Code", tea.StringValue(got.Code), code),
		check.Equal("Message", tea.StringValue(got.Message),
			fmt.Sprintf("code: %d, %s request id: %s", status, message, body.RequestId)),
		check.RequestID(body.RequestId),
		check.Equal("Code in the body", body.Code, code),
		check.Equal("Message in the body", body.Message, message),
		check.Equal("HostId", body.HostId, check.HostID()),
		check.Equal("Recommend", body.Recommend, check.Recommend("Ecs", code, body.RequestId)),
	)
}
