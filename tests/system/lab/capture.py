"""What left a server, packet by packet, with the kernel's own times: for counting what was sent after an event.

A ring that the kernel fills with the head of each packet, so that the reader need not keep up."""

import ctypes
import mmap
import socket
import struct

from .network import inside
from .wait import until

ETH_P_ALL, SOL_PACKET = 0x0003, 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, TPACKET_V2 = 5, 6, 10, 1
SO_ATTACH_FILTER = 26
FRAME, FRAMES, BLOCK = 256, 1 << 17, 1 << 17
SNAP = 100  # bytes of each packet: addresses, TCP's fields, its options
HEADER = struct.Struct("=IIIHHII")  # struct tpacket2_hdr: status, len, snaplen, mac, net, sec, nsec
OUTGOING = 4
FIN, RST = 0x01, 0x04


class Packet:
    """One segment that this namespace sent."""

    __slots__ = ("at", "port", "size", "flags")

    def __init__(self, at, port, size, flags):
        self.at, self.port, self.size, self.flags = at, port, size, flags


class Capture:
    """TCP over IPv4 that leaves a namespace by one device from one port of ours."""

    def __init__(self, space, device, port):
        with inside(space.ns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._filter(port)
        self.sock.setsockopt(SOL_PACKET, PACKET_VERSION, struct.pack("i", TPACKET_V2))
        self.sock.setsockopt(SOL_PACKET, PACKET_RX_RING,
                             struct.pack("IIII", BLOCK, FRAME * FRAMES // BLOCK, FRAME, FRAMES))
        self.ring = mmap.mmap(self.sock.fileno(), FRAME * FRAMES)
        self.sock.bind((device, ETH_P_ALL))

    def _filter(self, port):
        """The kernel keeps IPv4 TCP with this source port; the packet begins with its IP header."""
        code = [(0x30, 0, 0, 0), (0x54, 0, 0, 0xF0), (0x15, 0, 6, 0x40),  # version 4
                (0x30, 0, 0, 9), (0x15, 0, 4, 6),                         # TCP
                (0xB1, 0, 0, 0), (0x48, 0, 0, 0), (0x15, 0, 1, port),     # from the port
                (0x06, 0, 0, SNAP), (0x06, 0, 0, 0)]
        program = b"".join(struct.pack("HBBI", *c) for c in code)
        memory = ctypes.create_string_buffer(program)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                             struct.pack("HxxxxxxQ", len(code), ctypes.addressof(memory)))

    def packets(self):
        """Everything captured so far, in order; it is an error to have lost some."""
        kept, lost = struct.unpack("II", self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        assert lost == 0, f"{lost} of {kept} packets did not fit into the ring"
        found = []
        for i in range(kept):
            p = self._packet(i * FRAME)
            if p:
                found.append(p)
        return found

    def _packet(self, start):
        # The kernel counts a packet before it writes it.
        until(lambda: HEADER.unpack_from(self.ring, start)[0] & 1, "a packet that the kernel counted", every=0.001)
        _, _, snap, _, net, sec, nsec = HEADER.unpack_from(self.ring, start)
        # struct sockaddr_ll follows the header, aligned to 16: its sll_pkttype tells the direction
        if self.ring[start + 32 + 10] != OUTGOING:
            return None
        ip = self.ring[start + net:start + net + snap]
        begin = (ip[0] & 15) * 4
        total, = struct.unpack_from("!H", ip, 2)
        port, = struct.unpack_from("!H", ip, begin + 2)
        size = total - begin - (ip[begin + 12] >> 4) * 4
        return Packet(sec * 10**9 + nsec, port, size, ip[begin + 13])

    def close(self):
        self.ring.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
