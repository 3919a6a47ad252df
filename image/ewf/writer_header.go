package ewf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"
)

// headers writes what the first segment says of the acquisition: header2 twice, header, volume.
func (w *Writer) headers() error {
	wideText, err := deflateText(utf16Text(w.headerText("\n", true)))
	if err != nil {
		return err
	}
	plainText, err := deflateText([]byte(w.headerText("\r\n", false)))
	if err != nil {
		return err
	}
	for _, s := range []struct {
		kind string
		data []byte
	}{{"header2", wideText}, {"header2", wideText}, {"header", plainText}, {"volume", w.volume()}} {
		if err := w.section(s.kind, s.data, false); err != nil {
			return err
		}
	}
	return nil
}

func deflateText(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, fmt.Errorf("compress header: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress header: %w", err)
	}
	return out.Bytes(), nil
}

func utf16Text(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// headerText gives the text of header2 (wide) or header. Tabs and line ends separate fields, so they
// cannot stand in one.
func (w *Writer) headerText(end string, wide bool) string {
	clean := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	date := func() string {
		switch {
		case w.o.Acquired.IsZero():
			return ""
		case wide:
			return strconv.FormatInt(w.o.Acquired.Unix(), 10)
		}
		return w.o.Acquired.UTC().Format("2006 1 2 15 4 5")
	}()
	o := &w.o
	fields := [][2]string{{"a", o.Description}, {"c", o.CaseNumber}, {"n", o.EvidenceNumber}, {"e", o.Examiner}, {"t", o.Notes},
		{"md", o.Model}, {"sn", o.SerialNumber}, {"av", o.Version}, {"ov", o.OS}, {"m", date}, {"u", date}, {"p", "0"}, {"dc", ""}}
	head, tail := "3", "srce\n0\t1\np\tn\tid\tev\ttb\tlo\tpo\tah\tgu\taq\n0\t0\n\t\t\t\t\t-1\t-1\t\t\t\n\nsub\n0\t1\np\tn\tid\tnu\tco\tgu\n0\t0\n\t\t\t\t1\t\n\n"
	if !wide {
		head, tail = "1", ""
		fields = append([][2]string{fields[1], fields[2], fields[0]}, append(fields[3:5:5], fields[7:12]...)...)
	}
	keys, values := make([]string, len(fields)), make([]string, len(fields))
	for i, f := range fields {
		keys[i], values[i] = f[0], clean.Replace(f[1])
	}
	return strings.Join([]string{head, "main", strings.Join(keys, "\t"), strings.Join(values, "\t"), "", ""}, end) + tail
}

// volume gives the volume section, which the data sections repeat.
func (w *Writer) volume() []byte {
	o := &w.o
	b := make([]byte, volumeSize)
	le := binary.LittleEndian
	if !o.Removable {
		b[0] = 1
	}
	le.PutUint32(b[4:], uint32((o.Size+int64(o.ChunkSize)-1)/int64(o.ChunkSize)))
	le.PutUint32(b[8:], uint32(o.ChunkSize/o.SectorSize))
	le.PutUint32(b[12:], uint32(o.SectorSize))
	le.PutUint64(b[16:], uint64(o.Size/int64(o.SectorSize)))
	b[36] = 1 // an image
	if o.Physical {
		b[36] |= 2
	}
	b[52] = byte(o.Compression)
	le.PutUint32(b[56:], 1) // error granularity: a sector
	copy(b[64:], o.SetID[:])
	le.PutUint32(b[volumeSize-4:], adler32.Checksum(b[:volumeSize-4]))
	return b
}

// tail writes what ends the last segment.
func (w *Writer) tail() error {
	if w.two != nil {
		return w.tail2()
	}
	if w.number == 1 {
		if err := w.section("data", w.volume(), false); err != nil {
			return err
		}
	}
	if len(w.errors) > 0 {
		b, err := w.errorTable()
		if err != nil {
			return err
		}
		if err := w.section("error2", b, false); err != nil {
			return err
		}
	}
	md5sum, sha1sum := w.Sums()
	digest := make([]byte, 80)
	copy(digest, md5sum[:])
	copy(digest[16:], sha1sum[:])
	binary.LittleEndian.PutUint32(digest[76:], adler32.Checksum(digest[:76]))
	if err := w.section("digest", digest, false); err != nil {
		return err
	}
	sum := make([]byte, 36)
	copy(sum, md5sum[:])
	binary.LittleEndian.PutUint32(sum[32:], adler32.Checksum(sum[:32]))
	if err := w.section("hash", sum, false); err != nil {
		return err
	}
	return w.section("done", nil, true)
}

func (w *Writer) errorTable() ([]byte, error) {
	b := make([]byte, 520, 520+len(w.errors)*8+4)
	binary.LittleEndian.PutUint32(b, uint32(len(w.errors)))
	binary.LittleEndian.PutUint32(b[516:], adler32.Checksum(b[:516]))
	for _, e := range w.errors {
		if e.first < 0 || e.count < 0 || e.first >= 1<<32 || e.count >= 1<<32 {
			return nil, errors.New("write EWF: a read error beyond sector 4294967295 cannot be stored")
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(e.first))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.count))
	}
	return binary.LittleEndian.AppendUint32(b, adler32.Checksum(b[520:])), nil
}
