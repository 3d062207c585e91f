"""Pretty printers: gdb -x tools/gdb/kidoban.py build/kidoban"""

import ipaddress
import uuid

import gdb
import gdb.printing

SHOWN = 200
ALGORITHMS = {1: ("sha256", 32), 2: ("sha512", 64)}


def octets(array, n):
    return bytes(int(array[i]) & 0xFF for i in range(n))


def text(pointer, length):
    """What a pointer and a length stand for, cut where it is long."""
    if int(pointer) == 0:
        return "none" if length == 0 else "NULL with length %d" % length
    shown = gdb.selected_inferior().read_memory(int(pointer), min(length, SHOWN)).tobytes()
    rest = "" if length <= SHOWN else "... (%d bytes)" % length
    return '"' + shown.decode("utf-8", "backslashreplace").replace('"', '\\"') + '"' + rest


class Printer:
    def __init__(self, value):
        self.value = value


class Str(Printer):
    def to_string(self):
        return text(self.value["ptr"], int(self.value["len"]))


class Buf(Printer):
    def to_string(self):
        v = self.value
        failed = " failed" if v["failed"] else ""
        return "%s (%d of %d)%s" % (text(v["ptr"], int(v["len"])), v["len"], v["max"], failed)


class Digest(Printer):
    def to_string(self):
        name, size = ALGORITHMS.get(int(self.value["algorithm"]), ("unset", 0))
        return name + ":" + octets(self.value["bytes"], size).hex() if size else name


class IpAddr(Printer):
    def to_string(self):
        family = int(self.value["family"])
        if family not in (4, 6):
            return "unset"
        return str(ipaddress.ip_address(octets(self.value["bytes"], 4 if family == 4 else 16)))


class Cidr(Printer):
    def to_string(self):
        return "%s/%d" % (IpAddr(self.value["addr"]).to_string(), self.value["prefix"])


class Uuid(Printer):
    def to_string(self):
        return str(uuid.UUID(bytes=octets(self.value["bytes"], 16)))


class Err(Printer):
    def to_string(self):
        return "%s: %s" % (self.value["rc"], self.value["text"].string())


printers = gdb.printing.RegexpCollectionPrettyPrinter("kidoban")
for name, printer in (("str", Str), ("buf", Buf), ("digest", Digest), ("ip_addr", IpAddr), ("cidr", Cidr),
                      ("uuid", Uuid), ("err", Err)):
    printers.add_printer(name, "^" + name + "$", printer)
gdb.printing.register_pretty_printer(None, printers, replace=True)
