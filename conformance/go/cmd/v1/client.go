package main

// README: begin
import (
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
)

func newClient(endpoint, accessKeyID, accessKeySecret string) (*ecs.Client, error) {
	config := sdk.NewConfig().WithScheme("HTTP")
	credential := credentials.NewAccessKeyCredential(accessKeyID, accessKeySecret)
	client, err := ecs.NewClientWithOptions("cn-hangzhou", config, credential)
	if err != nil {
		return nil, err
	}
	client.Domain = endpoint
	return client, nil
}

// README: end
