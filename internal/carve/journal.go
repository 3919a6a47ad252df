package carve

import "encoding/binary"

// Constants of a journal file of systemd (journal-def.h). Its objects lie at multiples of eight bytes of the file, and a file at the
// beginning of a block, so they do so in raw space too.
const (
	journalAlign    = 8
	journalHead     = 208 // bytes, of the oldest header
	journalEntry    = 64  // bytes of an entry before its items
	journalEntryMax = 1 << 20
	entryType       = 3 // as the first eight bytes of an object: its type, no flags, six bytes of zero
	journalMagic    = 0x48524848534b504c
	journalEarliest = 631152000e6  // microseconds since 1970: 1990
	journalLatest   = 4102444800e6 // 2100
)

// journals gives the headers of journals and the heads of their entries in a window, whose beginning is aligned as the extent is.
func (s *scanner) journals(b []byte, at int64, e Extent) {
	for i := 0; i+journalAlign <= len(b) && !s.stopped; i += journalAlign {
		switch binary.LittleEndian.Uint64(b[i:]) {
		case entryType:
			s.journal(b[i:], at+int64(i), journalEntry, JournalEntry, e)
		case journalMagic:
			s.journal(b[i:], at+int64(i), journalHead, JournalFile, e)
		}
	}
}

// journal gives one of them. What a window cuts is read again whole.
func (s *scanner) journal(b []byte, off int64, n int, f Form, e Extent) {
	if int64(n) > e.Off+e.Len-off {
		return
	}
	if len(b) < n {
		b = make([]byte, n)
		if got, _ := s.r.ReadAt(b, off); got < n {
			return
		}
	}
	if b = b[:n]; f == JournalFile || journalled(b) {
		s.give(Piece{Off: off, Text: b, Form: f, In: e}, nil)
	}
}

// journalled tells the head of an entry by all its fields: size, number, times, boot.
func journalled(b []byte) bool {
	size, number, real, mono := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:]), binary.LittleEndian.Uint64(b[32:])
	return size > journalEntry && size <= journalEntryMax && size%4 == 0 && number > 0 && number < 1<<62 &&
		real > journalEarliest && real < journalLatest && mono < real && [16]byte(b[40:56]) != [16]byte{}
}
