// Package procread reads the few things of /proc that a verb needs before it acts on a process or on the network:
// who a process is, its ancestors, its sockets. It is no collector. Everything is read with a bound on its size, for a
// root-kit may make any file of /proc long; times are in clock ticks, as proc(5) has them.
//
// What may hang goes through Within: a call that the kernel never finishes leaves its thread behind, and the caller goes on.
package procread
