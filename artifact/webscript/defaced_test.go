package webscript

import (
	"testing"

	"telltale/evidence"
)

func TestBoast(t *testing.T) {
	for line, want := range map[string]bool{
		"<html><title>Hacked By X</title>":                                 true,
		"<TITLE>.:: HaCkEd By Team ::.</TITLE>":                            true,
		`<h1 class="x">  -= Defaced by somebody =-</h1>`:                   true,
		"<title>Our server was hacked by strangers - Blog</title>":         false,
		"<title>How to tell who hacked you</title><p>hacked by X</p>":      false,
		"<title>Owned by our members</title><h1>Owned by our members</h1>": false,
		"<title>Owned by X</title>greetz to all":                           true,
		"<title>Hacked by design</title><h1>Hacked by design</h1>":         false,
		"<title>Hacked! The podcast</title><p>who hackers are":             false,
		"<title>Struck by Y</title><h1>Hacked by Y</h1>":                   true,
		"<h1 ":                            false,
		"<title>":                         false,
		"<!-- <title>Welcome</title> -->": false,
	} {
		if _, _, got := new(boaster).met([]byte(line), evidence.Ref{}); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestFront(t *testing.T) {
	for p, want := range map[string]bool{"/var/www/html/index.html": true, "/var/www/html/INDEX.php": true, "/var/www/html/hacked.htm": true, "/var/www/html/blog/hacked-by-russians/page.html": false, "/var/www/html/news.html": false} {
		if front(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
}
