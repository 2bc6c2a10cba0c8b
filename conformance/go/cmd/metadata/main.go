// Command metadata gets the credentials of a role that is attached here with
// github.com/aliyun/credentials-go, and calls ECS with them. The one argument
// says how the library is led to the server:
//
//	uri      ALIBABA_CLOUD_CREDENTIALS_URI
//	proxy    HTTP_PROXY, for a server that runs with --metadata-default
//	address  100.100.100.200, which scripts/as-instance makes the server's
//
// The server is freshly started, with --credential-lifetime 2m: under the
// library's margin, so that each call asks again.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	ecs "github.com/alibabacloud-go/ecs-20140526/v7/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/credentials-go/credentials"

	"ecsim/conformance/internal/check"
)

const role = "batch-role"

var (
	direct      = &http.Client{Transport: &http.Transport{}}
	instanceIDs = tea.String(fmt.Sprintf("[%q]", check.PlainInstance))
)

func newClient(key, secret, token string) (*ecs.Client, error) {
	return ecs.NewClient(&openapi.Config{
		AccessKeyId:     tea.String(key),
		AccessKeySecret: tea.String(secret),
		SecurityToken:   tea.String(token),
		RegionId:        tea.String(check.Region),
		Endpoint:        tea.String(check.Endpoint()),
		Protocol:        tea.String("http"),
	})
}

// total is how many instances a triple sees, or the code that refuses it.
func total(key *credentials.CredentialModel) string {
	client, err := newClient(*key.AccessKeyId, *key.AccessKeySecret, *key.SecurityToken)
	if err != nil {
		return err.Error()
	}
	answer, err := client.DescribeInstances(&ecs.DescribeInstancesRequest{RegionId: tea.String(check.Region)})
	if sdk, ok := err.(*tea.SDKError); ok {
		return tea.StringValue(sdk.Code)
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(*answer.Body.TotalCount)
}

func newLibrary(way string) (credentials.Credential, error) {
	if way == "uri" {
		uri := fmt.Sprintf("http://%s/_ecsim/instances/%s/credentials", check.Endpoint(), check.PlainInstance)
		return credentials.NewCredential(new(credentials.Config).SetType("credentials_uri").SetURLCredential(uri))
	}
	return credentials.NewCredential(new(credentials.Config).SetType("ecs_ram_role"))
}

func main() {
	way := ""
	if len(os.Args) == 2 {
		way = os.Args[1]
	}
	switch way {
	case "uri", "address":
	case "proxy":
		os.Setenv("HTTP_PROXY", "http://"+check.Endpoint())
		// The calls of ECS go straight to the server; the library's address is not local.
		os.Setenv("NO_PROXY", "127.0.0.1")
	default:
		fmt.Fprintln(os.Stderr, "usage: metadata uri|proxy|address")
		os.Exit(2)
	}
	run := check.Runner{Family: "go-credentials", Mode: way}
	var library credentials.Credential
	var first, second *credentials.CredentialModel

	run.Check("the library gets the credentials of the role", func() error {
		owner, err := newClient(check.AccessKeyID, check.Secret, "")
		if err != nil {
			return err
		}
		_, err = owner.AttachInstanceRamRole(&ecs.AttachInstanceRamRoleRequest{
			RegionId: tea.String(check.Region), InstanceIds: instanceIDs, RamRoleName: tea.String(role)})
		if err != nil {
			return err
		}
		if library, err = newLibrary(way); err != nil {
			return err
		}
		if first, err = library.GetCredential(); err != nil {
			return err
		}
		return check.Equal("prefix", strings.HasPrefix(*first.AccessKeyId, "STS."), true)
	})
	if first == nil {
		check.Exit()
	}
	run.Check("they sign a call that the role allows", func() error {
		return check.Equal("TotalCount", total(first), "5")
	})
	run.Check("three minutes later they have expired", func() error {
		answer, err := direct.Post("http://"+check.Endpoint()+"/_ecsim/clock", "", strings.NewReader(`{"advance":"3m"}`))
		if err != nil {
			return err
		}
		answer.Body.Close()
		return check.Equal("code", total(first), "InvalidSecurityToken.Expired")
	})
	run.Check("the library's next ones are others, and pass", func() (err error) {
		if second, err = library.GetCredential(); err != nil {
			return err
		}
		return check.All(
			check.Equal("the same", *second.AccessKeyId == *first.AccessKeyId, false),
			check.Equal("TotalCount", total(second), "5"),
		)
	})
	// By the machine's clock the last ones, made three minutes ahead, have more than three minutes left.
	run.Check("once the role is detached the library keeps what it has", func() error {
		owner, err := newClient(check.AccessKeyID, check.Secret, "")
		if err != nil {
			return err
		}
		_, err = owner.DetachInstanceRamRole(&ecs.DetachInstanceRamRoleRequest{
			RegionId: tea.String(check.Region), InstanceIds: instanceIDs})
		if err != nil {
			return err
		}
		kept, err := library.GetCredential()
		if err != nil {
			return err
		}
		return check.Equal("AccessKeyId", *kept.AccessKeyId, *second.AccessKeyId)
	})
	run.Check("a new one fails as on an instance without a role", func() error {
		fresh, err := newLibrary(way)
		if err != nil {
			return err
		}
		_, err = fresh.GetCredential()
		wanted := "get role name failed: GET http://100.100.100.200/latest/meta-data/ram/security-credentials/ 404"
		if way == "uri" {
			wanted = "no role is attached to the instance"
		}
		return check.Equal("error", err != nil && strings.Contains(err.Error(), wanted), true)
	})
	check.Exit()
}
