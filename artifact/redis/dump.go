package redis

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
)

// Dump gives the artefact of dumps that stand where ssh or cron reads: both pass over what they do not understand,
// and obey the lines of the intruder's that stand within.
func Dump() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "redis-dump", Doc: "redis dumps written over the files of ssh and cron", Spec: "redis 7.0 src/rdb.c (rdbSaveRio, rdbSaveInfoAuxFields), src/rdb.h",
		Files: []string{
			"{home}/.ssh/authorized_keys", "{home}/.ssh/authorized_keys2", "/root/.ssh/authorized_keys", "/var/lib/*/.ssh/authorized_keys", "/etc/ssh/authorized_keys/*",
			"/var/spool/cron/**", "/etc/cron.d/*", "/etc/crontab", "/etc/crontabs/*", "/etc/cron.{hourly,daily,weekly,monthly}/*",
		},
		Kinds: []event.Kind{event.DatabaseCommand}, Parse: parseDump,
	}
}

// dumpHead is how much of a dump is read: the fields before the first key take some 100 bytes.
const dumpHead = 512 // bytes

var dumpMessage = []byte("a redis dump stands where ssh or cron reads")

func parseDump(_ context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var head [dumpHead]byte
		n, err := io.ReadFull(in.R, head[:])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
			return
		}
		b := head[:n]
		if !isDump(b) {
			return
		}
		fields := auxFields(b[9:])
		e := event.Event{Kind: event.DatabaseCommand, Ref: in.Ref, Raw: b[:9]}
		e.Ref.Off, e.Ref.Len = 0, 9
		if fields.saved > 0 {
			e.At = evidence.Time{Sec: fields.saved, Step: time.Second}
		}
		in.Seen.Record(e.At)
		e.Add(event.ServiceName, service)
		e.Add(event.Message, dumpMessage)
		e.AddText(event.FilePath, in.Path)
		e.Add(event.PackageVersion, fields.version)
		yield(e, nil)
	}
}

// isDump tells a dump by "REDIS" and four digits, of which the first is a zero yet.
func isDump(b []byte) bool {
	if len(b) < 9 || string(b[:6]) != "REDIS0" {
		return false
	}
	for _, d := range b[6:9] {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

// aux is what a dump says of itself since 3.2.
type aux struct {
	version []byte // redis-ver
	saved   int64  // ctime, Unix seconds by the server's clock: when the dump was made; 0 if it does not say
}

// auxFields reads pairs of strings that each have the byte 0xFA (RDB_OPCODE_AUX) before them.
func auxFields(b []byte) (a aux) {
	for len(b) > 0 && b[0] == 0xFA {
		name, _, rest, ok := rdbString(b[1:])
		if !ok {
			break
		}
		text, number, rest, ok := rdbString(rest)
		if !ok {
			break
		}
		switch string(name) {
		case "redis-ver", "valkey-ver":
			a.version = text
		case "ctime":
			a.saved = number
		}
		b = rest
	}
	return a
}

// rdbString reads a short string (a byte of length below 64 and the text) or an integer of 8, 16 or 32 bits (0xC0 to 0xC2
// and the number, least byte first). Longer and compressed ones are none of the fields that are wanted.
func rdbString(b []byte) (text []byte, number int64, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, 0, nil, false
	}
	n := int(b[0])
	b = b[1:]
	switch {
	case n < 64 && len(b) >= n:
		return b[:n], 0, b[n:], true
	case n == 0xC0 && len(b) >= 1:
		return nil, int64(int8(b[0])), b[1:], true
	case n == 0xC1 && len(b) >= 2:
		return nil, int64(int16(binary.LittleEndian.Uint16(b))), b[2:], true
	case n == 0xC2 && len(b) >= 4:
		return nil, int64(int32(binary.LittleEndian.Uint32(b))), b[4:], true
	}
	return nil, 0, nil, false
}
