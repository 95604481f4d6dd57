// Package pcap writes captures of UDP datagrams that Wireshark and tcpdump read: it dresses payloads in IP and UDP
// headers with correct checksums. It captures nothing from a network and reads no captures.
//
// The format is the classic one (draft-ietf-opsawg-pcap) with timestamps in nanoseconds and link type RAW: each record
// starts with its IP header, so that there is no link layer to make up.
package pcap
