package ewf

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"telltale/evidence"
	"telltale/image"
	"telltale/image/internal/extent"
)

const (
	maxHeaderText = 4 << 20 // bytes
	maxFacts      = 200
)

// headerRank orders the headers, which tell the same with more or less care.
type headerRank int

const (
	noHeader headerRank = iota
	plainHeader
	wideHeader
)

// headerNames are the identifiers of header and header2 (category "main").
var headerNames = map[string]string{
	"a": "description", "c": "case number", "n": "evidence number", "e": "examiner", "t": "notes",
	"av": "software version", "ov": "operating system", "m": "acquired", "u": "system date", "p": "password hash",
	"r": "compression", "md": "model", "sn": "serial number", "l": "device label", "pid": "process", "ext": "extents",
}

// deviceNames and caseNames are the attribute tags of EWF2.
var (
	deviceNames = map[string]string{
		"sn": "serial number", "md": "model", "lb": "device label", "hs": "HPA sectors", "dc": "DCO sectors",
		"dt": "drive type", "pid": "process", "rs": "PALM RAM sectors", "ls": "SMART log sectors", "ph": "physical",
	}
	caseNames = map[string]string{
		"nm": "description", "cn": "case number", "en": "evidence number", "ex": "examiner", "nt": "notes",
		"av": "software version", "os": "operating system", "tt": "acquired", "at": "system date", "gr": "error granularity", "wb": "write blocker",
	}
)

func (d *disk) fact(name, value string) {
	if value != "" && len(d.facts) < maxFacts {
		d.facts = append(d.facts, image.Fact{Name: name, Value: value})
	}
}

// header1 reads a header, header2 or xheader section. header2 says the same as header, in Unicode and with
// the zone of its times known, and is the one that is kept; what only the xheader says is added to it.
func (d *disk) header1(s section) error {
	rank := plainHeader
	if s.kind == "header2" {
		rank = wideHeader
	}
	if s.kind != "xheader" && rank <= d.header {
		return nil
	}
	text, err := inflateText(s, maxHeaderText)
	if err != nil {
		return err
	}
	if s.kind == "xheader" {
		d.xmlFacts(text)
		return nil
	}
	keys, values, err := object(wide(text))
	if err != nil {
		return err
	}
	if d.header != noHeader {
		d.facts = nil
	}
	d.header = rank
	d.objectFacts(keys, values, headerNames)
	return nil
}

// wide gives UTF-16 as UTF-8 where there is a byte order mark; other text is as it is.
func wide(b []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return string(b)
	}
	units := make([]uint16, 0, len(b)/2)
	for b = b[2:]; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return string(utf16.Decode(units))
}

// object gives the identifiers and values of the category "main".
func object(text string) (keys, values []string, err error) {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.TrimRight(l, "\r") == "main" && i+2 < len(lines) {
			return strings.Split(strings.TrimRight(lines[i+1], "\r"), "\t"), strings.Split(strings.TrimRight(lines[i+2], "\r"), "\t"), nil
		}
	}
	return nil, nil, errors.New(`no category "main"`)
}

func (d *disk) objectFacts(keys, values []string, names map[string]string) {
	for i, k := range keys {
		name, known := names[k]
		if !known || i >= len(values) || values[i] == "" || name == "password hash" && values[i] == "0" {
			continue
		}
		v := values[i]
		if name == "acquired" || name == "system date" {
			if sec, err := strconv.ParseInt(v, 10, 64); err == nil && sec > 0 && sec < 1<<36 {
				at := evidence.Unix(sec, 0, time.Second)
				if v = at.String(); name == "acquired" {
					d.made = at
				}
			}
		}
		d.fact(name, v)
	}
}

// xmlFacts takes <name>value</name> out of an EWF-X header; nothing in it is nested deeper.
func (d *disk) xmlFacts(text []byte) {
	names := map[string]string{
		"case_number": "case number", "description": "description", "examiner_name": "examiner", "evidence_number": "evidence number",
		"notes": "notes", "acquiry_operating_system": "operating system", "acquiry_date": "acquired", "acquiry_software": "software",
		"acquiry_software_version": "software version", "system_date": "system date", "model": "model", "serial_number": "serial number",
	}
	for rest := string(text); len(d.extended) < maxFacts; {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			return
		}
		tag, body, ok := strings.Cut(after, ">")
		if !ok {
			return
		}
		rest = body
		value, _, _ := strings.Cut(body, "<")
		if name := names[tag]; name != "" && strings.HasPrefix(body[len(value):], "</"+tag+">") {
			d.extended = append(d.extended, image.Fact{Name: name, Value: value})
		}
	}
}

// xhash reads the digests of an EWF-X image, in hexadecimal between tags.
func (d *disk) xhash(s section) error {
	text, err := inflateText(s, maxHeaderText)
	if err != nil {
		return err
	}
	hex := func(tag string, n int) []byte {
		_, after, _ := strings.Cut(string(text), "<"+tag+">")
		v, _, ok := strings.Cut(after, "</")
		b := make([]byte, n)
		if m, err := fmt.Sscanf(v, "%x", &b); !ok || m != 1 || err != nil || len(b) != n {
			return nil
		}
		return b
	}
	if b := hex("md5", 16); b != nil && d.md5 == nil {
		d.md5 = b
	}
	if b := hex("sha1", 20); b != nil && d.sha1 == nil {
		d.sha1 = b
	}
	return nil
}

// object2 reads the device information or the case data of EWF2.
func (d *disk) object2(s section2, names map[string]string) error {
	if s.kind == typeCase && d.sectorsPerChunk != 0 || s.kind == typeDevice && d.sectorSize != 0 {
		return nil // each segment repeats them
	}
	text, err := d.text2(s)
	if err != nil {
		return err
	}
	keys, values, err := object(wide(text))
	if err != nil {
		return err
	}
	number := func(key string) int64 {
		for i, k := range keys {
			if k == key && i < len(values) {
				n, _ := strconv.ParseInt(values[i], 10, 64)
				return n
			}
		}
		return 0
	}
	if s.kind == typeDevice {
		d.sectorCount, d.sectorSize = number("ts"), number("bp")
	} else {
		d.chunks, d.sectorsPerChunk = number("tb"), number("sb")
	}
	d.objectFacts(keys, values, names)
	return nil
}

func (d *disk) text2(s section2) ([]byte, error) {
	one := section{s.f, "header", s.off, s.size}
	switch d.compression {
	case methodZlib:
		return inflateText(one, maxHeaderText)
	case methodBzip2:
		raw, err := extent.Bytes(s.f, s.off, s.size, maxHeader, "header")
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if _, err := io.Copy(&out, io.LimitReader(bzip2.NewReader(bytes.NewReader(raw)), maxHeaderText)); err != nil && out.Len() == 0 {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return out.Bytes(), nil
	}
	return extent.Bytes(s.f, s.off, s.size, maxHeaderText, "header")
}
