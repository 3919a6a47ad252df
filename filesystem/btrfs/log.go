package btrfs

import (
	"context"
	"iter"

	"telltale/filesystem"
)

// replayedLog holds, by tree and object, the items as they are after replay.
type replayedLog struct {
	merged map[uint64]map[uint64][]item
}

func (l *replayedLog) of(tree uint64) map[uint64][]item {
	if l == nil {
		return nil
	}
	return l.merged[tree]
}

// between gives the items of a sorted list within two keys.
func between(list []item, from, to key) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for _, it := range list {
			if it.key.less(from) {
				continue
			}
			if to.less(it.key) || !yield(it, nil) {
				return
			}
		}
	}
}

// Replay is a stub.
func (f *FS) Replay(ctx context.Context) (filesystem.FS, filesystem.Replayed, error) {
	return nil, filesystem.Replayed{}, nil
}
