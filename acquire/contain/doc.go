// Package contain cuts a machine off the network but for named addresses, by the kernel's own filter (nf_tables) and with no
// program of the machine: netlink messages are written here, after include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h.
//
// It is one table "telltale" of family inet, and one of family bridge where the kernel has it, laid in one transaction: all or
// nothing. Rules are stateless, so established connections of the allowed addresses go on and all others fall silent. Our drop
// is final, whatever other tables accept; our accept leaves their drops in force.
//
// It ends by itself. Each chain ends in "drop, if the packet's family is in the set armed", and the set's elements have a
// timeout: when the kernel lets them expire, the rule no longer holds and the traffic flows again. No process of ours has to
// live for that. A restart of the machine removes all of it.
//
// What it is not: a wall against root. Who is root on the machine can take the table out, can send by packet sockets or XDP
// past it, or use an interface that lies in another network namespace (Look lists what it can see of these). The cable, the
// switch and the hypervisor's network are the better place to cut.
package contain
