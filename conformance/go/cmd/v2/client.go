package main

// README: begin
import (
	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	ecs "github.com/alibabacloud-go/ecs-20140526/v7/client"
	"github.com/alibabacloud-go/tea/tea"
)

func newClient(endpoint, accessKeyID, accessKeySecret string, signatureAlgorithm *string) (*ecs.Client, error) {
	return ecs.NewClient(&openapi.Config{
		AccessKeyId:        tea.String(accessKeyID),
		AccessKeySecret:    tea.String(accessKeySecret),
		RegionId:           tea.String("cn-hangzhou"),
		Endpoint:           tea.String(endpoint),
		Protocol:           tea.String("http"),
		SignatureAlgorithm: signatureAlgorithm, // nil for ACS3, "v2" for V1 signatures
	})
}

// README: end
