"""Many writers of one rule set."""

import threading

CALLS = [f"192.0.2.{i}" for i in range(100)] * 2


def test_two_hundred_concurrent_additions_of_a_hundred_rules_leave_each_rule_once(kidoban):
    registry = kidoban.registry("busyreg")
    control = kidoban.control()
    control.sign_in()
    answers, start = [None] * len(CALLS), threading.Barrier(len(CALLS))

    def add(i):
        connection = control.connect()
        start.wait(60)
        answers[i] = control.request("POST", f"{registry.id}/addNetworkRule", {"value": CALLS[i], "action": "Allow"},
                                     connection)
        connection.close()

    threads = [threading.Thread(target=add, args=(i,)) for i in range(len(CALLS))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert {a.status if a else None for a in answers} == {200}
    rules = [r["ipAddressOrRange"] for r in registry("network-rule", "list")["ipRules"]]
    assert sorted(rules) == sorted(set(CALLS))
