// Registries through Azure's Go SDK: create, read, update, list, delete. Takes the server's admin.json and the file with
// its authority; says what it did as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
)

const group, name = "sdk", "goregistry"

type admin struct {
	ControlURL, TenantID, SubscriptionID, ClientID, ClientSecret string
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func connect(a admin) *acr.RegistriesClient {
	url := strings.TrimSuffix(a.ControlURL, "/")
	options := azcore.ClientOptions{Cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: url,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: url, Audience: url}},
	}}
	credential := must(azidentity.NewClientSecretCredential(a.TenantID, a.ClientID, a.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true}))
	return must(acr.NewRegistriesClient(a.SubscriptionID, credential,
		&arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true}))
}

// Each result is what a caller of the SDK would look at.
func exercise(ctx context.Context, c *acr.RegistriesClient) map[string]any {
	made := must(must(c.BeginCreate(ctx, group, name, acr.Registry{
		Location: to.Ptr("local"), SKU: &acr.SKU{Name: to.Ptr(acr.SKUNamePremium)}}, nil)).PollUntilDone(ctx, nil))
	changed := must(must(c.BeginUpdate(ctx, group, name, acr.RegistryUpdateParameters{
		Properties: &acr.RegistryPropertiesUpdateParameters{AdminUserEnabled: to.Ptr(true),
			NetworkRuleSet: &acr.NetworkRuleSet{DefaultAction: to.Ptr(acr.DefaultActionDeny),
				IPRules: []*acr.IPRule{{IPAddressOrRange: to.Ptr("203.0.113.7"), Action: to.Ptr(acr.ActionAllow)}}}},
	}, nil)).PollUntilDone(ctx, nil))
	credentials := must(c.ListCredentials(ctx, group, name, nil))
	var listed []string
	for pages := c.NewListPager(nil); pages.More(); {
		for _, r := range must(pages.NextPage(ctx)).Value {
			listed = append(listed, *r.Name)
		}
	}
	must(must(c.BeginDelete(ctx, group, name, nil)).PollUntilDone(ctx, nil))
	_, err := c.Get(ctx, group, name, nil)
	var gone *azcore.ResponseError
	if !errors.As(err, &gone) {
		log.Fatalf("what was deleted is there: %v", err)
	}
	rules := changed.Properties.NetworkRuleSet
	return map[string]any{"state": made.Properties.ProvisioningState, "default": rules.DefaultAction,
		"rules": []string{*rules.IPRules[0].IPAddressOrRange}, "user": credentials.Username,
		"passwords": len(credentials.Passwords), "listed": listed, "gone": gone.ErrorCode}
}

func main() {
	var a admin
	if err := json.Unmarshal(must(os.ReadFile(os.Args[1])), &a); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(exercise(context.Background(), connect(a))); err != nil {
		log.Fatal(err)
	}
}
