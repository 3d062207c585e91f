"""The control plane over TLS: as ARM's clients ask it, and through the commands."""

import base64
import concurrent.futures
import json

from lab import until

PREMIUM = {"location": "local", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": True}}


def registry_id(group, name):
    return f"{group}/providers/Microsoft.ContainerRegistry/registries/{name}"


def error(answer, status, code):
    assert answer.status == status, answer
    assert answer.json["error"]["code"] == code and answer.json["error"]["message"], answer
    return answer.json["error"]["message"]


def test_nobody_gets_in_without_a_token_of_the_control_plane(control, group):
    connection = control.connect()
    error(connection.get(group, token=None), 401, "AuthenticationFailed")
    error(connection.get(group, token="e30.e30.e30"), 401, "AuthenticationFailed")
    forged = control.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(forged[1] + "=="))
    forged[1] = base64.urlsafe_b64encode(json.dumps({**claims, "oid": claims["tid"]}).encode()).rstrip(b"=").decode()
    error(connection.get(group, token=".".join(forged)), 401, "AuthenticationFailed")
    assert connection.get(group, token=control.token).status == 200
    connection.close()


def test_ids_are_read_in_any_case_and_with_repeated_slashes(control, group):
    rid = registry_id(group, "CaseReg")
    assert control.request("PUT", rid, PREMIUM).status == 201
    odd = rid.replace("resourceGroups", "resourcegroups").replace("/Microsoft.ContainerRegistry/registries/CaseReg",
                                                                 "/microsoft.containerregistry//REGISTRIES/casereg")
    answer = control.request("GET", odd)
    assert answer.status == 200 and answer.json["id"] == rid and answer.json["name"] == "CaseReg"
    assert answer.json["properties"]["loginServer"].startswith("casereg.")
    error(control.request("GET", rid.replace("/CaseReg", "/Case%2fReg")), 400, "InvalidResourceName")


def test_old_and_new_clients_write_the_same_rules(kidoban, control, group):
    kidoban.network("ruled")
    subnet = f"{group}/providers/Microsoft.Network/virtualNetworks/ruled/subnets/default"
    rid = registry_id(group, "rulesreg")
    assert control.request("PUT", rid, PREMIUM).status == 201

    def rules(**members):
        answer = control.request("PATCH", rid, {"properties": {"networkRuleSet": members}})
        assert answer.status == 200, answer
        return answer.json["properties"]["networkRuleSet"]

    shown = rules(defaultAction="Deny", virtualNetworkRules=[{"id": subnet}], ipRules=[{"action": "Allow", "value": "23.45.1.0/24"}])
    rule = {"action": "Allow", "id": subnet, "virtualNetworkSubnetResourceId": subnet}
    assert shown == {"defaultAction": "Deny", "virtualNetworkRules": [rule], "ipRules": [{"action": "Allow", "value": "23.45.1.0/24"}]}
    assert rules(**shown) == shown, "what is shown can be sent back"
    assert rules(defaultAction="Allow")["virtualNetworkRules"] == [rule], "absent arrays stay"
    assert rules(virtualNetworkRules=[{"virtualNetworkSubnetResourceId": subnet, "action": "Allow"}], ipRules=[])["ipRules"] == []
    both = {"virtualNetworkRules": [{"id": subnet, "virtualNetworkSubnetResourceId": subnet + "x"}]}
    error(control.request("PATCH", rid, {"properties": {"networkRuleSet": both}}), 400, "NetworkRuleValidationError")


def test_a_subnet_without_the_service_endpoint_is_refused_in_azures_words(kidoban, control, group):
    kidoban("network", "vnet", "create", "-g", "lab", "-n", "bare", "--address-prefixes", "10.9.0.0/16",
            "--subnet-name", "plain", "--subnet-prefixes", "10.9.0.0/24")
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/bare"
    rid = registry_id(group, "barereg")
    assert control.request("PUT", rid, PREMIUM).status == 201
    text = error(control.request("POST", f"{rid}/addNetworkRule", {"id": f"{vnet}/subnets/plain"}), 400, "NetworkRuleValidationError")
    assert text == (f"Could not validate network rule - Subnets plain of virtual network {vnet} do not have ServiceEndpoints for "
                    "Microsoft.ContainerRegistry resources configured. Add Microsoft.ContainerRegistry to subnet's "
                    "ServiceEndpoints collection before trying to ACL Microsoft.ContainerRegistry resources to these subnets.")


def test_concurrent_creations_of_one_name_have_one_winner(control, group):
    rid = registry_id(group, "onlyone")

    def create(i):
        a = control.request("PUT", rid if i % 2 else rid.replace("/resourceGroups/lab/", "/resourceGroups/twin/"), PREMIUM)
        return a.json["properties"]["provisioningState"] if a.status == 201 else str(a.status)

    assert control.request("PUT", group.replace("/lab", "/twin"), {"location": "local"}).status == 201
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(create, range(8)))
    assert outcomes == ["409"] * 4 + ["Creating"] + ["Updating"] * 3
    assert control.request("DELETE", group.replace("/lab", "/twin")).status == 202


def test_concurrent_writers_with_if_match_lose_no_update(control, group):
    rid = registry_id(group, "matched")
    assert control.request("PUT", rid, PREMIUM).status == 201
    etag = control.request("GET", rid).headers["ETag"]

    def write(i):
        connection = control.connect()
        answer = connection.request("PATCH", rid, body=json.dumps({"tags": {"writer": str(i)}}).encode(), token=control.token,
                                    headers={"If-Match": etag, "Content-Type": "application/json"})
        connection.close()
        return answer.status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(write, range(8)))
    assert statuses == [200] + [412] * 7


def test_a_downgrade_is_refused_while_rules_stand(kidoban):
    kidoban("acr", "create", "-n", "downgrade", "-g", "lab", "--sku", "Premium", "--default-action", "Deny")
    kidoban("acr", "network-rule", "add", "-n", "downgrade", "--ip-address", "192.0.2.1")
    refused = kidoban.command("acr", "update", "-n", "downgrade", "--sku", "Basic")
    assert refused.code == 1
    assert "from the SKU Premium to Basic while it has the default action Deny, 1 IP rule" in refused.err
    kidoban("acr", "network-rule", "remove", "-n", "downgrade", "--ip-address", "192.0.2.1/32")
    kidoban("acr", "update", "-n", "downgrade", "--default-action", "Allow")
    assert kidoban("acr", "update", "-n", "downgrade", "--sku", "Basic")["sku"]["name"] == "Basic"


def test_commands_print_and_exit_as_az_does(kidoban):
    kidoban("acr", "create", "-n", "printed", "-g", "lab", "--sku", "Standard")
    table = kidoban.command("acr", "list", output="table")
    assert table.code == 0 and table.out.splitlines()[0].split()[:2] == ["Type", "Name"] and "printed" in table.out
    tsv = kidoban.command("group", "show", "-n", "lab", output="tsv")
    assert tsv.code == 0 and "\tlab\t" in tsv.out
    shown = kidoban("acr", "show", "-n", "PRINTED")
    assert shown["resourceGroup"] == "lab" and "properties" not in shown and "networkRuleSet" not in shown
    missing = kidoban.command("acr", "show", "-n", "nosuchreg", "-g", "lab")
    assert missing.code == 3 and missing.err.startswith("ERROR: (ResourceNotFound) ")
    assert kidoban.command("group", "show", "-n", "nosuch").code == 3
    assert kidoban.command("acr", "create", "-n", "x1", "-g", "lab", "--sku", "Basic").code == 1
    usage = kidoban.command("acr", "create", "-g", "lab")
    assert usage.code == 2 and "--name" in usage.err
    misspelt = kidoban.command("acr", "creat", "-n", "x")
    assert misspelt.code == 2 and "kidoban acr create" in misspelt.err
    explained = kidoban.command("acr", "show", "--help")
    assert explained.code == 0 and "--name -n NAME" in explained.out


def test_access_is_explained_before_and_after_a_proposal(kidoban):
    kidoban("acr", "create", "-n", "explained", "-g", "lab", "--sku", "Premium", "--default-action", "Deny")
    kidoban("acr", "network-rule", "add", "-n", "explained", "--ip-address", "198.51.100.0/24")
    inside = kidoban("acr", "check-network-access", "-n", "explained", "--ip-address", "198.51.100.7")
    assert (inside["decision"], inside["reason"], inside["rule"]) == ("Allow", "ip-rule", "198.51.100.0/24")
    outside = kidoban("acr", "check-network-access", "-n", "explained", "--ip-address", "203.0.113.1", "--proposed",
                      json.dumps({"networkRuleSet": {"defaultAction": "Allow"}}))
    assert (outside["decision"], outside["proposed"]["decision"]) == ("Deny", "Allow")


def test_an_attachments_state_follows_its_namespace(lab, kidoban):
    vnet = kidoban.network("stateful", "10.7.0.0/16", (("default", "10.7.0.0/24"),))
    network = lab.network("stateful", "10.7.0.0/24")
    kidoban.attach("stateful", network, vnet)

    def state():
        return kidoban("network", "attachment", "show", "--name", "stateful")["state"]

    until(lambda: state() == "Listening", "the attachment listens")
    twice = kidoban.command("network", "attachment", "create", "--name", "again", "--kind", "netns", "--netns", network.ns,
                            "--vnet", vnet["id"])
    assert twice.code == 1 and "stateful" in twice.err
    kidoban("network", "attachment", "create", "--name", "nowhere", "--kind", "netns", "--netns", "no-such-namespace",
            "--vnet", vnet["id"])
    until(lambda: kidoban("network", "attachment", "show", "--name", "nowhere")["state"] == "Waiting", "the attachment waits")
    other = kidoban.command("network", "attachment", "create", "--name", "other", "--kind", "carrier-pigeon",
                            "--vnet", vnet["id"])
    assert other.code == 1 and "--kind is" in other.err
    for name in ("nowhere", "stateful"):
        kidoban("network", "attachment", "delete", "--name", name, "--yes")
    until(lambda: not network.listening(443), "the listener is closed")


def test_everything_is_there_after_a_restart(kidoban, control, group):
    before = {kind: control.request("GET", f"{group}/providers/{kind}").json
              for kind in ("Microsoft.ContainerRegistry/registries", "Microsoft.Network/virtualNetworks")}
    credentials = kidoban("acr", "credential", "show", "-n", "rulesreg")
    kidoban.stop()
    kidoban.start()
    after = {kind: control.request("GET", f"{group}/providers/{kind}").json for kind in before}
    assert after == before
    assert kidoban("acr", "credential", "show", "-n", "rulesreg") == credentials


def test_a_group_goes_with_what_is_in_it(kidoban, control):
    kidoban("group", "create", "-n", "doomed", "-l", "local")
    kidoban("acr", "create", "-n", "doomedreg", "-g", "doomed", "--sku", "Basic")
    kidoban.network("doomed", group="doomed")
    unsure = kidoban.command("group", "delete", "-n", "doomed")
    assert unsure.code == 1 and "Use --yes." in unsure.err
    kidoban("group", "delete", "-n", "doomed", "--yes")
    assert kidoban.command("group", "show", "-n", "doomed").code == 3
    assert "doomedreg" not in [r["name"] for r in kidoban("acr", "list")]
    assert "doomed" not in [v["name"] for v in kidoban("network", "vnet", "list")]
    kidoban("acr", "create", "-n", "doomedreg", "-g", "lab", "--sku", "Basic")
