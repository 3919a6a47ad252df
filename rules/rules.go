// Package rules holds detections as rules in Sigma's form, for which a single event suffices: one file each, with lines of a
// log that it must match and lines, as like them as can be, that it must not. Who writes no Go adds one here.
//
// Beside Sigma's own fields a rule has "telltale": what a hit means to the story ("what", as package detect names it; without it
// a hit is told and nothing is built on it), the catalogue's row ("detection"), the rung of evidence, what an attack tries
// in words ("mechanism"), and the samples with the path of the log that they stand in.
package rules

import "embed"

// Files are the rules.
//
//go:embed web linux
var Files embed.FS
