package tree

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"time"

	"telltale/lab"
)

// Log is a log that a server had before a real stage started it.
type Log struct {
	Path       string
	Mode       uint32
	UID, GID   int
	Born, Last time.Time
	Data       []byte
}

// historyDays is how long such a server has lived.
const historyDays = 30

// History writes ordinary days, which life plays, and gives the logs of them. They end at most an hour before a time; the text logs are rotated
// then, so that a real daemon begins its own, and the login records are to be gone on with.
func History(p *lab.Play, setup lab.Setup, end time.Time, days int, life func(lab.Stage) error) ([]Log, error) {
	s, err := build(p, setup, func(*rand.Rand) time.Time { return end.AddDate(0, 0, -historyDays) })
	if err != nil {
		return nil, err
	}
	s.clock = end.AddDate(0, 0, -days).Add(-time.Duration(600+s.rand.IntN(3000)) * time.Second)
	s.boot()
	if err := life(s); err != nil {
		return nil, err
	}
	var out []Log
	err = s.each(func(p string, n *inode) error {
		if n.dir() || len(n.data) == 0 || !strings.HasPrefix(p, "/var/log/") || n.mode&0o170000 != typeFile {
			return nil
		}
		switch base := path.Base(p); {
		case base == "wtmp" || base == "btmp" || base == "lastlog" || base == "dpkg.log" || base == "history.log":
		case strings.HasSuffix(base, ".log"):
			p += ".1"
		default: // rotated by the server itself, and then once more
			log, rest, ok := strings.Cut(base, ".log.")
			number, packed, _ := strings.Cut(rest, ".")
			n, err := strconv.Atoi(number)
			if !ok || err != nil {
				return nil
			}
			if packed != "" {
				packed = "." + packed
			}
			p = path.Join(path.Dir(p), fmt.Sprintf("%s.log.%d%s", log, n+1, packed))
		}
		out = append(out, Log{Path: p, Mode: n.mode & 0o7777, UID: n.uid, GID: n.gid, Born: n.crtime, Last: n.mtime, Data: n.data})
		return nil
	})
	return out, err
}
