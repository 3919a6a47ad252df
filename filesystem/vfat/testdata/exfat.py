"""Writes a small exFAT image by the published specification (2019): a file in a row, one in pieces by the table, one
that is longer than what was written of it, a directory, a deleted file, a name that needs two entries."""
import struct
import sys

SECTOR, CLUSTER, COUNT = 512, 1024, 200
FAT, HEAP = 24, 32  # sectors
image = bytearray(HEAP * SECTOR + COUNT * CLUSTER)
table, taken = {}, set()


def place(c):
    return HEAP * SECTOR + (c - 2) * CLUSTER


def put(clusters, data, chain):
    for i, c in enumerate(clusters):
        image[place(c):place(c) + len(data[i * CLUSTER:(i + 1) * CLUSTER])] = data[i * CLUSTER:(i + 1) * CLUSTER]
        taken.add(c)
        if chain:
            table[c] = clusters[i + 1] if i + 1 < len(clusters) else 0xFFFFFFFF


def stamp(y, mo, d, h, mi, s):
    return (y - 1980) << 25 | mo << 21 | d << 16 | h << 11 | mi << 5 | s // 2


def upcase(u):
    return u - 32 if 97 <= u <= 122 else u


def entries(name, first, size, valid, chain, attr=0x20, zone=0x80, deleted=False):
    units = [u for u, in struct.iter_unpack("<H", name.encode("utf-16-le"))]
    h = 0
    for u in units:
        for b in struct.pack("<H", upcase(u)):
            h = ((h << 15 | h >> 1) + b) & 0xFFFF
    names = [units[i:i + 15] for i in range(0, len(units), 15)]
    t = stamp(2023, 11, 14, 22, 13, 20)
    out = bytearray(struct.pack("<BBHHHIIIBBBBB7x", 0x85, 1 + len(names), 0, attr, 0, t, t, t, 12, 150, zone, zone, zone))
    out += struct.pack("<BBBBHHQIIQ", 0xC0, 1 if chain else 3, 0, len(units), h, 0, valid, 0, first, size)
    for n in names:
        out += struct.pack("<BB", 0xC1, 0) + b"".join(struct.pack("<H", u) for u in n).ljust(30, b"\0")
    s = 0
    for i, b in enumerate(out):
        if i not in (2, 3):
            s = ((s << 15 | s >> 1) + b) & 0xFFFF
    struct.pack_into("<H", out, 2, s)
    if deleted:
        for i in range(0, len(out), 32):
            out[i] &= 0x7F
    return bytes(out)


up = b"".join(struct.pack("<H", upcase(i)) for i in range(128))
csum = 0
for b in up:
    csum = ((csum << 31 | csum >> 1) + b) & 0xFFFFFFFF
root = struct.pack("<BB22s8x", 0x83, 6, "SAMPLE".encode("utf-16-le"))
root += struct.pack("<BB18xIQ", 0x81, 0, 2, (COUNT + 7) // 8)
root += struct.pack("<B3xI12xIQ", 0x82, csum, 3, len(up))
put([3], up, True)
words = b" ".join(b"word%d" % (i * 7919 % 1000) for i in range(700))
n = (len(words) + CLUSTER - 1) // CLUSTER
put(list(range(20, 20 + n)), words, False)
root += entries("in a row.txt", 20, len(words), len(words), False, zone=0x80 | 4)
put([40, 45, 42], b"p" * 2500, True)
root += entries("in pieces, with a name of two entries.bin", 40, 2500, 2500, True)
put([50, 51], b"v" * 2048, False)
root += entries("half written", 50, 2000, 700, False, attr=0x21)
put([60], b"", True)
root += entries("folder", 60, CLUSTER, CLUSTER, True, attr=0x10, zone=0)
put([61], b"inner", False)
put([60], entries("inner \u20ac \U0001F600", 61, 5, 5, False), True)
root += entries("gone.txt", 70, 11, 11, False, deleted=True)
put([70], b"the secret\n", False)
taken.discard(70)
root += entries("empty", 0, 0, 0, True)
put([4, 90], root, True)
bitmap = bytearray((COUNT + 7) // 8)
taken.add(2)
for c in taken:
    bitmap[(c - 2) // 8] |= 1 << (c - 2) % 8
put([2], bytes(bitmap), True)
for c, v in list(table.items()) + [(0, 0xFFFFFFF8), (1, 0xFFFFFFFF)]:
    struct.pack_into("<I", image, FAT * SECTOR + 4 * c, v)
boot = bytearray(12 * SECTOR)
struct.pack_into("<3s8s53xQQIIIIIIHHBBBBB", boot, 0, b"\xeb\x76\x90", b"EXFAT   ", 0, len(image) // SECTOR, FAT, HEAP - FAT, HEAP, COUNT, 4, 0x1234ABCD, 0x100, 0, 9, 1, 1, 0x80, 10)
for i in range(9):
    boot[i * SECTOR + 510:i * SECTOR + 512] = b"\x55\xaa"
s = 0
for i in range(11 * SECTOR):
    if i not in (106, 107, 112):
        s = ((s << 31 | s >> 1) + boot[i]) & 0xFFFFFFFF
boot[11 * SECTOR:] = struct.pack("<I", s) * (SECTOR // 4)
image[:len(boot)] = boot
image[12 * SECTOR:24 * SECTOR] = boot
open(sys.argv[1], "wb").write(image)
