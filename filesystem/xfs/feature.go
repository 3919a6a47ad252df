package xfs

import "fmt"

// Version and feature bits (fs/xfs/libxfs/xfs_format.h).
const (
	versionMask    = 0x000f
	version4       = 4
	version5       = 5
	versionDirV2   = 0x2000
	versionMore    = 0x8000 // sb_features2 is valid
	features2Ftype = 0x200

	incompatFtype    = 1 << 0
	incompatSpinodes = 1 << 1 // sparse inode chunks
	incompatMetaUUID = 1 << 2
	incompatBigtime  = 1 << 3
	incompatRepair   = 1 << 4
	incompatNrext64  = 1 << 5
	incompatExchange = 1 << 6
	incompatParent   = 1 << 7
	incompatMetadir  = 1 << 8
	// All but zoned (1 << 9), which puts content on another device, zone_gaps and what is not known.
	incompatKnown = incompatFtype | incompatSpinodes | incompatMetaUUID | incompatBigtime | incompatRepair | incompatNrext64 |
		incompatExchange | incompatParent | incompatMetadir
)

// The names that mkfs.xfs and xfs_db use, by bit number.
var (
	versionNames   = [32]string{4: "attr", 5: "nlink", 6: "quota", 7: "align", 8: "dalign", 9: "shared", 10: "logv2", 11: "sector", 12: "extflg", 13: "dirv2", 14: "ascii-ci", 15: "morebits"}
	features2Names = [32]string{1: "lazysbcount", 3: "attr2", 4: "parent", 7: "projid32bit", 8: "crc", 9: "ftype"}
	roNames        = [32]string{0: "finobt", 1: "rmapbt", 2: "reflink", 3: "inobtcount"}
	incompatNames  = [32]string{0: "ftype", 1: "sparse", 2: "meta_uuid", 3: "bigtime", 4: "needsrepair", 5: "nrext64", 6: "exchange", 7: "parent", 8: "metadir", 9: "zoned", 10: "zone_gaps"}
	logNames       = [32]string{0: "log_xattrs"}
)

func (s *superblock) featureNames() (names []string) {
	add := func(bits uint32, table *[32]string, kind string) {
		for i, name := range table {
			if bits&(1<<i) == 0 {
				continue
			}
			if name == "" {
				name = fmt.Sprintf("FEATURE_%s%d", kind, i)
			}
			names = append(names, name)
		}
	}
	names = append(names, fmt.Sprintf("v%d", s.version()))
	add(uint32(s.versionnum)&^versionMask, &versionNames, "V")
	if s.versionnum&versionMore != 0 {
		add(s.features2, &features2Names, "2_")
	}
	add(s.ro, &roNames, "R")
	add(s.incompat, &incompatNames, "I")
	add(s.logIncompat, &logNames, "L")
	return names
}

// unknownIncompat names the incompatible features that are not read, "" if there are none.
func (s *superblock) unknownIncompat() (list []string) {
	for i, name := range incompatNames {
		if s.incompat&^incompatKnown&(1<<i) == 0 {
			continue
		}
		if name == "" {
			name = fmt.Sprintf("FEATURE_I%d", i)
		}
		list = append(list, name)
	}
	return list
}
