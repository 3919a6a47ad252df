package ext4

import "fmt"

// Feature bits (fs/ext4/ext4.h) that steer the reading.
const (
	compatHasJournal   = 0x4
	compatSparseSuper2 = 0x200
	compatOrphanFile   = 0x1000

	incompatFiletype   = 0x2
	incompatRecover    = 0x4 // the journal holds changes that are not written back
	incompatJournalDev = 0x8
	incompatMetaBG     = 0x10
	incompatExtents    = 0x40
	incompat64Bit      = 0x80
	incompatCsumSeed   = 0x2000
	incompatInline     = 0x8000
	incompatEncrypt    = 0x10000
	incompatCasefold   = 0x20000
	// All but compression (0x1) and what is not known: extents 0x40, mmp 0x100,
	// flex_bg 0x200, ea_inode 0x400, dirdata 0x1000, large_dir 0x4000, inline_data 0x8000.
	incompatKnown = incompatFiletype | incompatRecover | incompatMetaBG | 0x40 | incompat64Bit | 0x100 | 0x200 | 0x400 |
		0x1000 | incompatCsumSeed | 0x4000 | 0x8000 | incompatEncrypt | incompatCasefold
	incompatExt4 = incompatKnown &^ (incompatFiletype | incompatRecover | incompatMetaBG)

	roSparseSuper  = 0x1
	roGdtCsum      = 0x10
	roBigalloc     = 0x200
	roMetadataCsum = 0x400
	roExt4         = ^uint32(0x1 | 0x2 | 0x4) // beyond sparse_super, large_file, btree_dir
	largeDir       = 0x4000                   // incompat
)

// The names that dumpe2fs prints, by bit number.
var (
	compatNames = [32]string{0: "dir_prealloc", 1: "imagic_inodes", 2: "has_journal", 3: "ext_attr", 4: "resize_inode",
		5: "dir_index", 6: "lazy_bg", 7: "snapshot_exclude_inode", 8: "snapshot_exclude_bitmap", 9: "sparse_super2", 10: "fast_commit",
		11: "stable_inodes", 12: "orphan_file"}
	incompatNames = [32]string{0: "compression", 1: "filetype", 2: "needs_recovery", 3: "journal_dev", 4: "meta_bg",
		6: "extent", 7: "64bit", 8: "mmp", 9: "flex_bg", 10: "ea_inode", 12: "dirdata", 13: "metadata_csum_seed",
		14: "large_dir", 15: "inline_data", 16: "encrypt", 17: "casefold"}
	roNames = [32]string{0: "sparse_super", 1: "large_file", 2: "btree_dir", 3: "huge_file", 4: "uninit_bg", 5: "dir_nlink",
		6: "extra_isize", 7: "snapshot", 8: "quota", 9: "bigalloc", 10: "metadata_csum", 11: "replica", 12: "read-only",
		13: "project", 14: "shared_blocks", 15: "verity", 16: "orphan_present"}
)

func featureNames(compat, incompat, ro uint32) (names []string) {
	for _, set := range []struct {
		bits  uint32
		names *[32]string
		kind  string
	}{{compat, &compatNames, "C"}, {incompat, &incompatNames, "I"}, {ro, &roNames, "R"}} {
		for i, name := range set.names {
			if set.bits&(1<<i) == 0 {
				continue
			}
			if name == "" {
				name = fmt.Sprintf("FEATURE_%s%d", set.kind, i) // as dumpe2fs names what it does not know
			}
			names = append(names, name)
		}
	}
	return names
}
