"""Headers of PROXY protocol version 2, as honest senders write them and as others do."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6 = 0x11, 0x21
CRC32C = 0x03


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def header(tlvs=b"", source="10.0.0.4", command=PROXY, target=None, family=None):
    """A header as an honest sender writes it; `family` says another than the one that its addresses have."""
    a = ipaddress.ip_address(source)
    b = ipaddress.ip_address(target or ("10.0.9.9" if a.version == 4 else "2001:db8::1"))
    body = a.packed + b.packed + struct.pack(">HH", 50000, 443) + tlvs
    return SIGNATURE + struct.pack(">BBH", command, family or (TCP4 if a.version == 4 else TCP6), len(body)) + body


def _crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def summed(source="10.0.0.4", tlvs=b"", wrong=0):
    """A header with its checksum, or with one that is wrong in these bits."""
    sent = header(tlvs + tlv(CRC32C, bytes(4)), source)
    return sent[:-4] + struct.pack(">I", _crc32c(sent) ^ wrong)
