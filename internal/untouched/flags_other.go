//go:build !linux

package untouched

const noMark = 0
