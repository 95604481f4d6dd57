// Package mem reserves address space for tables that grow in place: what nobody
// has touched costs nothing, nothing moves, and the garbage collector does not see it.
//
// It knows nothing of what is kept there, and does not count what is used.
package mem
