package ewf

import (
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"strconv"
	"strings"
)

// What a Writer writes differently as version 2 (Ex01), after libewf's description of it: descriptors stand behind their data and lead
// back, chunks lie at multiples of 16 bytes of the file and are named by their offsets in it, and each segment says what the disk is.

const (
	typeSectors = 0x03
	typeNext    = 0x0d

	align2 = 16 // bytes
)

// layout2 is what is kept of the segment at hand.
type layout2 struct {
	prev    int64 // the descriptor before, 0 for none
	first   int64 // number of the first chunk of the table that is being gathered
	entries []byte
}

// head2 gives what a segment begins with.
func (w *Writer) head2() []byte {
	head := append([]byte(signature2), 2, 1, methodZlib, 0)
	head = binary.LittleEndian.AppendUint32(head, uint32(w.number))
	return append(head, w.o.SetID[:]...)
}

// headers2 writes what each segment says of the disk and of the acquisition.
func (w *Writer) headers2() error {
	o := &w.o
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	date, physical, drive := "", "", "f"
	if !o.Acquired.IsZero() {
		date = number(o.Acquired.Unix())
	}
	if o.Physical {
		physical = "1"
	}
	if o.Removable {
		drive = "r"
	}
	chunks := (o.Size + int64(o.ChunkSize) - 1) / int64(o.ChunkSize)
	device := [][2]string{{"sn", o.SerialNumber}, {"md", o.Model}, {"lb", ""}, {"ts", number(o.Size / int64(o.SectorSize))}, {"hs", ""}, {"dc", ""}, {"dt", drive}, {"pid", ""}, {"rs", ""}, {"ls", ""},
		{"bp", number(int64(o.SectorSize))}, {"ph", physical}}
	acquired := [][2]string{{"nm", o.Description}, {"cn", o.CaseNumber}, {"en", o.EvidenceNumber}, {"ex", o.Examiner}, {"nt", o.Notes}, {"av", o.Version}, {"os", o.OS}, {"tt", date}, {"at", date},
		{"tb", number(chunks)}, {"cp", number(methodZlib)}, {"sb", number(int64(o.ChunkSize / o.SectorSize))}, {"gr", "1"}, {"wb", ""}}
	for kind, fields := range [][][2]string{typeDevice: device, typeCase: acquired} {
		if fields == nil {
			continue
		}
		text, err := deflateText(utf16Text(objectText(fields)))
		if err != nil {
			return err
		}
		if err := w.section2(uint32(kind), text); err != nil {
			return err
		}
	}
	return nil
}

// objectText gives the text of one object: the names of its attributes and their values.
func objectText(fields [][2]string) string {
	clean := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	keys, values := make([]string, len(fields)), make([]string, len(fields))
	for i, f := range fields {
		keys[i], values[i] = f[0], clean.Replace(f[1])
	}
	return strings.Join([]string{"1", "main", strings.Join(keys, "\t"), strings.Join(values, "\t"), "", ""}, "\n")
}

// section2 writes data and the descriptor behind it.
func (w *Writer) section2(kind uint32, data []byte) error {
	pad := -len(data) & (align2 - 1)
	if err := w.put(append(data[:len(data):len(data)], make([]byte, pad)...)); err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32(nil, kind)
	sum := [md5.Size]byte{}
	if flags := uint32(flagHashed); kind != typeSectors && len(data) > 0 { // chunks have checksums of their own
		h := md5.New()
		h.Write(data)
		h.Write(make([]byte, pad))
		copy(sum[:], h.Sum(nil))
		b = binary.LittleEndian.AppendUint32(b, flags)
	} else {
		b = binary.LittleEndian.AppendUint32(b, 0)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(w.two.prev))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)+pad))
	b = binary.LittleEndian.AppendUint32(b, descriptorSize2)
	b = binary.LittleEndian.AppendUint32(b, uint32(pad))
	b = append(append(b, sum[:]...), make([]byte, 12)...)
	w.two.prev = w.at
	return w.put(binary.LittleEndian.AppendUint32(b, adler32.Checksum(b)))
}

// room2 is what n more chunks take besides themselves, and what ends the set: the sectors' descriptor, the table, the read errors, two
// digests, the last descriptor.
func (w *Writer) room2(n int) int64 {
	return 6*descriptorSize2 + 4*tableHeader2 + int64(n)*entrySize2 + align2*int64(3+len(w.errors))
}

// add2 appends a packed chunk to what is gathered.
func (w *Writer) add2(c []byte, packed bool) {
	flags := uint32(flagChecked)
	if packed {
		flags = flagPacked
	}
	x := w.two
	x.entries = binary.LittleEndian.AppendUint64(x.entries, uint64(w.at+int64(w.data.Len())))
	x.entries = binary.LittleEndian.AppendUint32(x.entries, uint32(len(c)))
	x.entries = binary.LittleEndian.AppendUint32(x.entries, flags)
	w.data.Write(c)
	w.data.Write(make([]byte, -len(c)&(align2-1)))
}

// endSection2 writes the chunks that were gathered, and where they lie.
func (w *Writer) endSection2() error {
	x := w.two
	n := len(x.entries) / entrySize2
	if n == 0 {
		return nil
	}
	if err := w.section2(typeSectors, w.data.Bytes()); err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(x.first))
	b = binary.LittleEndian.AppendUint64(b, uint64(n))
	b = checkedTable2(b, x.entries)
	w.data.Reset()
	x.first += int64(n)
	x.entries = x.entries[:0]
	return w.section2(typeSectorTable, b)
}

// checkedTable2 puts a table together: head and entries each with their checksum, and padding behind it.
func checkedTable2(head, entries []byte) []byte {
	b := binary.LittleEndian.AppendUint32(head, adler32.Checksum(head))
	b = append(append(b, make([]byte, 12)...), entries...)
	b = binary.LittleEndian.AppendUint32(b, adler32.Checksum(entries))
	return append(b, make([]byte, 12)...)
}

// tail2 writes what ends the last segment.
func (w *Writer) tail2() error {
	if len(w.errors) > 0 {
		var entries []byte
		for _, e := range w.errors {
			if e.first < 0 || e.count < 0 || e.count >= 1<<32 {
				return errors.New("write EWF: a read error of more than 4294967295 sectors cannot be stored")
			}
			entries = binary.LittleEndian.AppendUint64(entries, uint64(e.first))
			entries = binary.LittleEndian.AppendUint64(entries, uint64(e.count))
		}
		head := append(binary.LittleEndian.AppendUint32(nil, uint32(len(w.errors))), make([]byte, 12)...)
		if err := w.section2(typeErrors, checkedTable2(head, entries)); err != nil {
			return err
		}
	}
	md5sum, sha1sum := w.Sums()
	for _, s := range []struct {
		kind uint32
		sum  []byte
	}{{typeMD5, md5sum[:]}, {typeSHA1, sha1sum[:]}} {
		if err := w.section2(s.kind, binary.LittleEndian.AppendUint32(s.sum, adler32.Checksum(s.sum))); err != nil {
			return fmt.Errorf("digest: %w", err)
		}
	}
	return w.section2(typeDone, nil)
}
