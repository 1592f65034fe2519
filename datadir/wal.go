package datadir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"

	"github.com/sttts/elastic-etcd/joiner"
)

// A WAL segment starts with two records, in every etcd from 2.3 to 3.7: the
// checksum so far, and the metadata. A record is framed by its length (8
// bytes, little endian, the low 56 bits; when negative, bits 56 to 58 count
// the bytes of padding behind it) and is a protobuf message, walpb.Record.
const (
	typeMetadata = 1
	typeCRC      = 4
	maxRecord    = 4096 // these two have some thirty bytes
)

// segment is what the start of one WAL file says.
type segment struct {
	member, cluster joiner.ID
	damage          string // why there are no IDs
	locked          bool   // an etcd has it open
}

// readSegment returns an error when the file cannot be looked at, and damage
// when what is in it makes no sense.
func readSegment(path string) (segment, error) {
	// O_NONBLOCK: a pipe of that name must not hold us up.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return segment{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return segment{}, err
	}
	if !info.Mode().IsRegular() {
		return segment{damage: "not a regular file"}, nil
	}
	s := segment{locked: locked(f, info)}
	if s.member, s.cluster, err = decode(f); err != nil {
		s.damage = err.Error()
	}
	return s, nil
}

// decode reads the IDs from the start of a WAL segment.
func decode(r io.Reader) (member, cluster joiner.ID, err error) {
	first, err := readRecordOf(r, typeCRC)
	if err != nil {
		return 0, 0, err
	}
	second, err := readRecordOf(r, typeMetadata)
	if err != nil {
		return 0, 0, err
	}
	// Checksums are chained from record to record.
	if sum := crc32.Update(first.crc, crc32.MakeTable(crc32.Castagnoli), second.data); sum != second.crc {
		return 0, 0, errors.New("the checksum of its metadata is wrong")
	}
	m, err := parseMessage(second.data)
	if err != nil {
		return 0, 0, fmt.Errorf("metadata: %w", err)
	}
	if member, cluster = joiner.ID(m.numbers[1]), joiner.ID(m.numbers[2]); member == 0 || cluster == 0 {
		return 0, 0, errors.New("its metadata has no member or cluster ID")
	}
	return member, cluster, nil
}

type record struct {
	crc  uint32
	data []byte
}

func readRecordOf(r io.Reader, kind uint64) (record, error) {
	b, err := readFrame(r)
	if err != nil {
		return record{}, err
	}
	m, err := parseMessage(b)
	if err != nil {
		return record{}, fmt.Errorf("record: %w", err)
	}
	if m.numbers[1] != kind {
		return record{}, fmt.Errorf("record of type %d where type %d belongs", m.numbers[1], kind)
	}
	return record{crc: uint32(m.numbers[2]), data: m.bytes[3]}, nil
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("it ends before its metadata: %w", err)
	}
	word := binary.LittleEndian.Uint64(head[:])
	size, padding := word&(1<<56-1), uint64(0)
	if int64(word) < 0 {
		padding = word >> 56 & 7
	}
	if size == 0 || size > maxRecord {
		return nil, fmt.Errorf("record of %d bytes where the metadata belongs", size)
	}
	b := make([]byte, size+padding)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("it ends before its metadata: %w", err)
	}
	return b[:size], nil
}

// message is a protobuf message, as far as etcd's WAL uses the format.
type message struct {
	numbers map[uint64]uint64
	bytes   map[uint64][]byte
}

func parseMessage(b []byte) (message, error) {
	m := message{map[uint64]uint64{}, map[uint64][]byte{}}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return m, errors.New("no valid field")
		}
		value, k := binary.Uvarint(b[n:])
		if k <= 0 {
			return m, errors.New("no valid field")
		}
		b = b[n+k:]
		switch field, wire := key>>3, key&7; {
		case wire == 0:
			m.numbers[field] = value
		case wire == 2 && value <= uint64(len(b)):
			m.bytes[field], b = b[:value], b[value:]
		default:
			return m, fmt.Errorf("no valid field %d", field)
		}
	}
	return m, nil
}
