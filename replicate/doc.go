// Package replicate makes copies of packets without copying them: it decides in which form
// they go to each address, and keeps the buffers and rings that they pass through. It does not know what is in a packet,
// matches nothing, and does no I/O: a [Port] does.
package replicate
