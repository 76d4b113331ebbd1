// SPDX-License-Identifier: BSD-2-Clause

// The other side: Go's sumdb/note and sumdb/tlog, which nobody here wrote.
//
//	oracle verify DIR VKEY        checks a log of ours: every entry, every proof; prints size and root
//	oracle write DIR NAME COUNT   writes a log with entries "entry N"; prints its verifier key
//	oracle check VKEY FILE...     "good" or "bad" for each note
//	oracle sign NAME FILE         a note over that text, and its verifier key on stderr
//	oracle proof VKEY FILE ENTRY  checks a tlog-proof
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

// The path of C2SP tlog-tiles: without the height, and "entries" for "data".
func path(t tlog.Tile) string {
	return strings.Replace(strings.Replace(t.Path(), "tile/8/", "tile/", 1), "tile/data/", "tile/entries/", 1)
}

type tiles struct{ dir string }

func (r tiles) Height() int                     { return height }
func (r tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tiles) ReadTiles(ts []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range ts {
		data, err := os.ReadFile(filepath.Join(r.dir, path(t)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// A checkpoint: the origin where Go's own notes say "go.sum database tree".
func checkpoint(msg []byte, vkey string) tlog.Tree {
	v, err := note.NewVerifier(vkey)
	must(err)
	n, err := note.Open(msg, note.VerifierList(v))
	must(err)
	lines := strings.SplitN(n.Text, "\n", 2)
	if lines[0] != v.Name() {
		must(fmt.Errorf("origin %q", lines[0]))
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + lines[1]))
	must(err)
	return tree
}

func bundle(dir string, n int64, w int) [][]byte {
	t := tlog.Tile{H: height, L: -1, N: n, W: w}
	data, err := os.ReadFile(filepath.Join(dir, path(t)))
	must(err)
	var entries [][]byte
	for len(data) > 0 {
		l := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+l])
		data = data[2+l:]
	}
	if len(entries) != w {
		must(fmt.Errorf("%s: %d entries", path(t), len(entries)))
	}
	return entries
}

func verify(dir, vkey string) {
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	tree := checkpoint(msg, vkey)
	hashes := tlog.TileHashReader(tree, tiles{dir})
	var stored []tlog.Hash
	mine := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var some []tlog.Hash
		for _, i := range indexes {
			some = append(some, stored[i])
		}
		return some, nil
	})
	for n := int64(0); n*256 < tree.N; n++ {
		w := tree.N - n*256
		if w > 256 {
			w = 256
		}
		for i, entry := range bundle(dir, n, int(w)) {
			at := n*256 + int64(i)
			proof, err := tlog.ProveRecord(tree.N, at, hashes)
			must(err)
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, at, tlog.RecordHash(entry)))
			more, err := tlog.StoredHashes(at, entry, mine)
			must(err)
			stored = append(stored, more...)
			// Every smaller tree is the beginning of this one.
			root, err := tlog.TreeHash(at+1, mine)
			must(err)
			consistent, err := tlog.ProveTree(tree.N, at+1, hashes)
			must(err)
			must(tlog.CheckTree(consistent, tree.N, tree.Hash, at+1, root))
		}
	}
	fmt.Printf("%d %s\n", tree.N, hex.EncodeToString(tree.Hash[:]))
}

func key(name string) (note.Signer, string) {
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{42}, 64)), name)
	must(err)
	s, err := note.NewSigner(skey)
	must(err)
	return s, vkey
}

func save(dir string, t tlog.Tile, data []byte) {
	file := filepath.Join(dir, path(t))
	must(os.MkdirAll(filepath.Dir(file), 0o755))
	must(os.WriteFile(file, data, 0o644))
}

func write(dir, name string, count int64) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var some []tlog.Hash
		for _, i := range indexes {
			some = append(some, stored[i])
		}
		return some, nil
	})
	var entries []byte
	for i := int64(0); i < count; i++ {
		entry := []byte(fmt.Sprintf("entry %d", i))
		more, err := tlog.StoredHashes(i, entry, reader)
		must(err)
		stored = append(stored, more...)
		entries = binary.BigEndian.AppendUint16(entries, uint16(len(entry)))
		entries = append(entries, entry...)
		if i%256 == 255 || i == count-1 {
			save(dir, tlog.Tile{H: height, L: -1, N: i / 256, W: int(i%256) + 1}, entries)
			entries = nil
		}
	}
	for _, t := range tlog.NewTiles(height, 0, count) {
		data, err := tlog.ReadTileData(t, reader)
		must(err)
		save(dir, t, data)
	}
	root, err := tlog.TreeHash(count, reader)
	must(err)
	signer, vkey := key(name)
	msg, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", name, count, root)}, signer)
	must(err)
	must(os.WriteFile(filepath.Join(dir, "checkpoint"), msg, 0o644))
	fmt.Println(vkey)
}

func check(vkey string, files []string) {
	v, err := note.NewVerifier(vkey)
	must(err)
	for _, file := range files {
		msg, err := os.ReadFile(file)
		must(err)
		if _, err := note.Open(msg, note.VerifierList(v)); err == nil {
			fmt.Println("good")
		} else {
			fmt.Println("bad")
		}
	}
}

func proof(vkey, file, entry string) {
	data, err := os.ReadFile(file)
	must(err)
	parts := strings.SplitN(string(data), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		must(fmt.Errorf("no proof"))
	}
	index, err := strconv.ParseInt(lines[1][6:], 10, 64)
	must(err)
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		b, err := base64.StdEncoding.DecodeString(line)
		must(err)
		var h tlog.Hash
		copy(h[:], b)
		hashes = append(hashes, h)
	}
	tree := checkpoint([]byte(parts[1]), vkey)
	must(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash([]byte(entry))))
	fmt.Println("good")
}

func main() {
	switch args := os.Args[2:]; os.Args[1] {
	case "verify":
		verify(args[0], args[1])
	case "write":
		count, err := strconv.ParseInt(args[2], 10, 64)
		must(err)
		write(args[0], args[1], count)
	case "check":
		check(args[0], args[1:])
	case "sign":
		text, err := os.ReadFile(args[1])
		must(err)
		signer, vkey := key(args[0])
		msg, err := note.Sign(&note.Note{Text: string(text)}, signer)
		must(err)
		fmt.Fprintln(os.Stderr, vkey)
		os.Stdout.Write(msg)
	case "proof":
		proof(args[0], args[1], args[2])
	default:
		must(fmt.Errorf("no such command"))
	}
}
