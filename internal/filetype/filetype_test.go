package filetype_test

import (
	"bytes"
	"testing"

	"telltale/internal/filetype"
)

func TestOf(t *testing.T) {
	for _, tc := range []struct{ head, kind, runs string }{
		{"", "empty", ""}, {"\x7fELF\x02\x01", "elf", ""}, {"#!/bin/sh\necho", "script", "sh"}, {"#!/usr/bin/env -S FOO=1 python3 -u\n", "script", "python3"}, {"#! /usr/bin/perl -w", "script", "perl"}, {"#!", "script", ""},
		{"<?php eval(1);", "php", ""}, {"<html>\n<?PHP echo 1 ?>", "php", ""}, {"GIF89a<?php system($_GET[0]);", "php", ""}, {"\xff\xd8\xff\xe0JFIF", "image", ""}, {"\x1f\x8b\x08", "archive", ""},
		{"-----BEGIN OPENSSH PRIVATE KEY-----\nb3", "private-key", ""}, {"plain text, with ümlauts\n", "text", ""}, {"cut in the middle of \xc3", "text", ""}, {"\x00\x00\x00", "zeros", ""}, {"\x00\x01\x02binary", "data", ""}, {"latin1 \xfcmlaut here", "data", ""},
		{"%PDF-1.7", "pdf", ""}, {"SQLite format 3\x00", "sqlite", ""}, {"LPKSHHRH", "journal", ""},
	} {
		if kind, runs := filetype.Of([]byte(tc.head)); kind != tc.kind || runs != tc.runs {
			t.Errorf("%q is %s, %q; want %s, %q", tc.head, kind, runs, tc.kind, tc.runs)
		}
	}
}

func TestDisguised(t *testing.T) {
	for name, want := range map[string]bool{"a.jpg php": true, "a.PNG elf": true, "a.txt elf": true, "a.txt script": false, "a.html php": false, "a.php php": false, "a elf": false, "a.gz archive": false, "a.jpg image": false, "x.log elf": true, "b.gif script": true} {
		file, kind, _ := bytes.Cut([]byte(name), []byte(" "))
		if _, got := filetype.Disguised(string(file), string(kind)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte("#!/bin/sh"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, _ := filetype.Of(b); k == "" {
			t.Error("no kind")
		}
	})
}

func BenchmarkOf(b *testing.B) {
	head := bytes.Repeat([]byte("a line of text\n"), 300)[:filetype.Head]
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		filetype.Of(head)
	}
}
