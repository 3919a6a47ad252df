// Package mailqueue counts the mail that is under way on the running machine: how much, since when, and handed in by whom where the files tell it. It is
// taken twice, at the beginning and at the end, so that growth shows. What is in the mails is not read, but for the first lines of Exim's, which name the
// user.
package mailqueue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/spool"
	"telltale/internal/state"
)

// Limits of one look.
const (
	maxMails   = 100_000 // files of one folder of a queue
	maxFolders = 200     // folders of one queue: Postfix and Exim split theirs by a letter
	maxHeads   = 2000    // files of Exim whose first lines are read
	maxSenders = 10
	patience   = time.Second // of all queues: the machine's state must not wait for mail
)

// New gives the step under a name; it is taken twice.
func New(name string) acquire.Step {
	return acquire.Step{Name: name, Quick: true, Doc: "counts the mail that is under way", Take: take}
}

func take(ctx context.Context, b *acquire.Box, out acquire.Out) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := &counter{root: b.Root, now: time.Now(), queues: map[string]*queue{}, seen: map[fileID]bool{}}
	for _, pattern := range spool.Folders() {
		for _, d := range folders(b.Root, pattern) {
			if err := c.folder(ctx, d, 0); err != nil && !bounded.Gone(err) {
				out.Failed("mail under way in "+d, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.queues)) {
		if err := out.Record(state.QueueFile, c.queues[name].state(c.now)); err != nil {
			return err
		}
	}
	return nil
}

// folders gives the paths that a pattern stands for. Package filepath would mark the folders as read.
func folders(root, pattern string) []string {
	out := []string{root}
	for part := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range out {
			if !strings.Contains(part, "*") {
				next = append(next, path.Join(dir, part))
				continue
			}
			names, _ := bounded.Folders(dir, maxFolders)
			for _, n := range names {
				if ok, err := path.Match(part, n); ok && err == nil {
					next = append(next, path.Join(dir, n))
				}
			}
		}
		out = next
	}
	return out
}

// counter is one look at all queues.
type counter struct {
	root    string
	now     time.Time
	queues  map[string]*queue
	seen    map[fileID]bool // a mail on its way from one folder to the next is met in both
	heads   int
	folders int
}

type fileID struct{ dev, inode uint64 }

type queue struct {
	state.Queue
	oldest, newest time.Time
	senders        map[uint32]int64
}

// folder counts the mails of a folder and of those in it.
func (c *counter) folder(ctx context.Context, dir string, depth int) error {
	if c.folders++; c.folders > maxFolders || depth > 3 {
		return fmt.Errorf("more than %d folders", maxFolders)
	}
	names, err := bounded.List(dir, maxMails)
	long := errors.Is(err, bounded.ErrLong)
	if err != nil && !long {
		return err
	}
	var errs []error
	for _, n := range names {
		if ctx.Err() != nil {
			errs = append(errs, fmt.Errorf("it took too long: %w", ctx.Err()))
			long = true
			break
		}
		p := path.Join(dir, n)
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, p, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st); err != nil {
			if errors.Is(err, unix.ENOSYS) {
				return fmt.Errorf("this kernel cannot tell when files were made: %w", err)
			}
			continue // it was sent meanwhile
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			errs = append(errs, c.folder(ctx, p, depth+1))
		case unix.S_IFREG:
			c.mail(p, &st)
		}
	}
	if m, ok := spool.Of(path.Join("/", rel(c.root, dir), "AAAAAAAAAA")); ok && long {
		c.queue(m.Queue).More = true
	}
	return errors.Join(errs...)
}

func rel(root, p string) string {
	r, err := filepath.Rel(root, p)
	if err != nil {
		return p
	}
	return r
}

func (c *counter) queue(name string) *queue {
	q := c.queues[name]
	if q == nil {
		q = &queue{Queue: state.Queue{Name: name}, senders: map[uint32]int64{}}
		c.queues[name] = q
	}
	return q
}

// mail counts one file, if it is a mail's.
func (c *counter) mail(p string, st *unix.Statx_t) {
	m, ok := spool.Of("/" + rel(c.root, p))
	id := fileID{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}
	if !ok || c.seen[id] {
		return
	}
	c.seen[id] = true
	q := c.queue(m.Queue)
	q.Mails++
	since := m.Since
	if since.IsZero() {
		since = made(st)
	}
	if age := c.now.Sub(since); age >= -time.Minute {
		if age <= 10*time.Minute {
			q.Last++
		}
		if age <= time.Hour {
			q.Hour++
		}
	}
	if q.oldest.IsZero() || since.Before(q.oldest) {
		q.oldest = since
	}
	if since.After(q.newest) {
		q.newest = since
	}
	if m.OwnerSent {
		q.senders[st.Uid]++
	} else if strings.HasPrefix(m.Queue, "exim") && c.heads < maxHeads {
		c.heads++
		if head, err := bounded.Read(p, 512); err == nil || errors.Is(err, bounded.ErrLong) {
			if uid, ok := spool.EximUser(string(head)); ok {
				q.senders[uid]++
			}
		}
	}
}

// made tells when a file was made: by its birth, which moving it between queues does not change; else by the earlier of its times, for Postfix sets the
// one of its content to when it will try again.
func made(st *unix.Statx_t) time.Time {
	at := func(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }
	if st.Mask&unix.STATX_BTIME != 0 && st.Btime.Sec > 0 {
		return at(st.Btime)
	}
	if m, c := at(st.Mtime), at(st.Ctime); m.Before(c) {
		return m
	}
	return at(st.Ctime)
}

func (q *queue) state(now time.Time) *state.Queue {
	s := &q.Queue
	s.At, s.Oldest, s.Newest = now.UTC().Format(time.RFC3339Nano), q.oldest.UTC().Format(time.RFC3339), q.newest.UTC().Format(time.RFC3339)
	s.Senders = []state.QueueUser{}
	for uid, n := range q.senders {
		s.Senders = append(s.Senders, state.QueueUser{UID: uid, Mails: n})
	}
	slices.SortFunc(s.Senders, func(a, b state.QueueUser) int {
		return cmp.Or(cmp.Compare(b.Mails, a.Mails), cmp.Compare(a.UID, b.UID))
	})
	s.Senders = s.Senders[:min(len(s.Senders), maxSenders)]
	return s
}
