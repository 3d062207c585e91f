"""Many writers of one rule set."""

import threading

from lab import until

CALLS = [f"192.0.2.{i}" for i in range(100)] * 2


def test_two_hundred_concurrent_additions_of_a_hundred_rules_leave_each_rule_once(kidoban):
    registry = kidoban.registry("busyreg")
    control = kidoban.control()
    control.sign_in()
    answers, start = [None] * len(CALLS), threading.Barrier(len(CALLS))
    connections = [control.connect() for _ in CALLS]  # one by one: a handshake has ten seconds

    def add(i):
        def answered():
            """Not turned away unchanged, as who has waited for ten seconds is, which a slow disk can make of it."""
            a = control.request("POST", f"{registry.id}/addNetworkRule", {"value": CALLS[i], "action": "Allow"},
                                connections[i])
            return a if a.status != 503 else None

        start.wait(60)
        answers[i] = until(answered, "an answer", 120)
        connections[i].close()

    threads = [threading.Thread(target=add, args=(i,)) for i in range(len(CALLS))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(180)
    assert {a.status if a else None for a in answers} == {200}
    rules = [r["ipAddressOrRange"] for r in registry("network-rule", "list")["ipRules"]]
    assert sorted(rules) == sorted(set(CALLS))
