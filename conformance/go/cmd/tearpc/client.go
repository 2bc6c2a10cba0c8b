package main

// README: begin
import (
	rpc "github.com/alibabacloud-go/tea-rpc/client"
	"github.com/alibabacloud-go/tea/tea"
)

func newClient(endpoint, accessKeyID, accessKeySecret string) (*rpc.Client, error) {
	return rpc.NewClient(&rpc.Config{
		AccessKeyId:     tea.String(accessKeyID),
		AccessKeySecret: tea.String(accessKeySecret),
		RegionId:        tea.String("cn-hangzhou"),
		Endpoint:        tea.String(endpoint),
		Protocol:        tea.String("HTTP"),
	})
}

// README: end
