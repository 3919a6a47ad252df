package btrfs

import (
	"fmt"

	"telltale/filesystem"
)

// Feature bits (uapi/linux/btrfs.h) that steer the reading.
const (
	incompatMetadataUUID  = 1 << 10
	incompatZoned         = 1 << 12
	incompatExtentTreeV2  = 1 << 13
	incompatRaidStripes   = 1 << 14
	incompatKnown         = 1<<13 - 1 | 1<<16 // up to zoned, and simple_quota
	superFlagSeeding      = 1 << 32
	superFlagMetadumpAny  = 1<<33 | 1<<34 // a metadata-only image of btrfs-image
	superFlagChangingFSID = 1<<35 | 1<<36
)

// The names that the kernel shows in /sys/fs/btrfs/features, by bit number.
var (
	incompatNames = [64]string{0: "mixed_backref", 1: "default_subvol", 2: "mixed_groups", 3: "compress_lzo", 4: "compress_zstd",
		5: "big_metadata", 6: "extended_iref", 7: "raid56", 8: "skinny_metadata", 9: "no_holes", 10: "metadata_uuid", 11: "raid1c34",
		12: "zoned", 13: "extent_tree_v2", 14: "raid_stripe_tree", 16: "simple_quota"}
	roNames = [64]string{0: "free_space_tree", 1: "free_space_tree_valid", 2: "verity", 3: "block_group_tree"}
)

func featureNames(incompat, ro uint64) (names []string) {
	for _, set := range []struct {
		bits  uint64
		names *[64]string
		kind  string
	}{{incompat, &incompatNames, "incompat"}, {ro, &roNames, "compat_ro"}} {
		for i, name := range set.names {
			if set.bits&(1<<i) == 0 {
				continue
			}
			if name == "" {
				name = fmt.Sprintf("%s:%d", set.kind, i)
			}
			names = append(names, name)
		}
	}
	return names
}

// supported refuses what this reader would misread, by name. Bits of compat_ro only
// add trees that reading can do without.
func (s *superblock) supported() error {
	if rest := s.incompat &^ incompatKnown; rest != 0 {
		return fmt.Errorf("incompatible features %v: %w", featureNames(rest, 0), filesystem.ErrNotSupported)
	}
	if s.flags&superFlagMetadumpAny != 0 {
		return fmt.Errorf("an image of metadata alone (btrfs-image): %w", filesystem.ErrNotSupported)
	}
	return nil
}
