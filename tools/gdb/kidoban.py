"""gdb -x tools/gdb/kidoban.py build/kidoban: strings, buffers, digests, addresses and UUIDs as text."""

import ipaddress
import uuid

import gdb
import gdb.printing


def memory(pointer, length):
    if int(length) == 0 or int(pointer) == 0:
        return b""
    return bytes(gdb.selected_inferior().read_memory(int(pointer), min(int(length), 4096)))


def octets(array):
    low, high = array.type.range()
    return bytes(int(array[i]) & 0xFF for i in range(low, high + 1))


class Str:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        if int(self.value["ptr"]) == 0:
            return "STR_NONE"
        return repr(memory(self.value["ptr"], self.value["len"]).decode(errors="replace"))


class Buf(Str):
    def to_string(self):
        failed = ", failed" if self.value["failed"] else ""
        return f"{super().to_string()} ({int(self.value['len'])} of {int(self.value['max'])}{failed})"


class Digest:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        names = [f.name for f in self.value.type.fields()]
        array = next(n for n in names if self.value[n].type.strip_typedefs().code == gdb.TYPE_CODE_ARRAY)
        return " ".join(f"{n}={self.value[n]}" for n in names if n != array) + " " + octets(self.value[array]).hex()


class Address:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        raw = octets(self.value["bytes"])
        return str(ipaddress.ip_address(raw[:4] if int(self.value["family"]) == 4 else raw[:16]))


class Uuid:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return str(uuid.UUID(bytes=octets(self.value["bytes"])))


printers = gdb.printing.RegexpCollectionPrettyPrinter("kidoban")
for name, printer in (("str", Str), ("buf", Buf), ("digest", Digest), ("ip_addr", Address), ("uuid", Uuid)):
    printers.add_printer(name, f"^{name}$", printer)
gdb.printing.register_pretty_printer(None, printers, replace=True)
