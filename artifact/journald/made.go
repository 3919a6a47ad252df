package journald

import "encoding/binary"

// Made is a journal that is made of entries found elsewhere, so that they are read as others are: compact, not keyed, without an index.
type Made struct {
	b     []byte
	at    map[string]uint32 // fields that are in it
	count uint64
}

const madeHeader = 264 // bytes

// NewMade begins one.
func NewMade() *Made {
	m := &Made{b: make([]byte, madeHeader), at: map[string]uint32{}}
	copy(m.b, signature)
	m.b[12] = incompatibleCompact
	binary.LittleEndian.PutUint64(m.b[88:], madeHeader)
	return m
}

// Len gives how many bytes it has.
func (m *Made) Len() int { return len(m.b) }

// Add appends an entry and gives where in the file it stands.
func (m *Made) Add(e *LostEntry) int64 {
	items := make([]byte, 0, 4*len(e.Fields))
	for _, f := range e.Fields {
		at, ok := m.at[f]
		if !ok {
			body := make([]byte, dataCompact-objectHeader, dataCompact-objectHeader+len(f))
			var plain header
			binary.LittleEndian.PutUint64(body, plain.hash([]byte(f)))
			at = uint32(m.object(objectData, append(body, f...)))
			m.at[f] = at
		}
		items = binary.LittleEndian.AppendUint32(items, at)
	}
	m.count++
	body := binary.LittleEndian.AppendUint64(nil, m.count)
	body = append(append(body, e.Stamp[:]...), make([]byte, 8)...)
	return m.object(objectEntry, append(body, items...))
}

func (m *Made) object(kind byte, body []byte) int64 {
	at := len(m.b)
	m.b = append(m.b, kind, 0, 0, 0, 0, 0, 0, 0)
	m.b = binary.LittleEndian.AppendUint64(m.b, uint64(objectHeader+len(body)))
	m.b = append(m.b, body...)
	m.b = append(m.b, make([]byte, -len(m.b)&7)...)
	return int64(at)
}

// Bytes gives the file.
func (m *Made) Bytes() []byte { return m.b }
